# Some hundreds of store paths as a real closure has them, for benchmarks: each is a Debian package as it is, without a change
# to its programs, and refers to those it depends on.
{ lib, system, lock, package, final, ... }:
let
  lockfile = lib.importTOML ../plywood.lock;
  names = map (line: lib.head (lib.splitString " " line)) lockfile.images.bench."linux/amd64".packages;

  benchPackage = name:
    let about = lock.get name; in
    package {
      pname = name;
      version = about.upstreamVersion;
      script = ./bench.sh;
      libc = null;
      deb = lock.deb name;
      depends = map (name: final.benchPackages.${name}) about.depends;
      meta = { inherit (about) description; homepage = about.homepage or "https://www.debian.org"; };
    };
in
lib.optionalAttrs (system == "x86_64-linux") {
  benchPackages = lib.genAttrs names benchPackage;
  benchClosure = package {
    pname = "bench-closure";
    version = "1";
    script = ./bench-closure.sh;
    libc = null;
    packages = lib.attrValues final.benchPackages;
    meta.description = "Refers to every package in benchPackages";
  };
}
