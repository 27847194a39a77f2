# A package made of Debian packages: unpacked into one output with nixpkgs' folders, its programs and libraries tied to the
# store paths they need.
{ lib, lock, package, final, ... }:
let
  # What libraries of a Debian package may come from: its direct dependencies, which Debian's own tools work out from the
  # libraries that are linked.
  isLibrary = name:
    name == "zlib1g" || (lib.hasPrefix "lib" name && !lib.hasSuffix "-perl" name && !lib.hasSuffix "-data" name && name != "libc-bin");
  dependencies = debs: lib.unique (lib.concatMap (deb: lib.filter isLibrary (lock.get deb).depends) debs);
in
{ debs ? [ pname ], pname ? lib.head debs, meta ? { }, passthru ? { }, ... }@attributes:
let
  main = lock.get (lib.head debs);
in
package ({
  inherit pname;
  version = main.upstreamVersion;
  script = ./from-deb.sh;
  links = ./links.awk;
  libraries = map (name: final.debianPackages.${name}) (lib.subtractLists ([ "libc6" ] ++ debs) (dependencies debs));
} // attributes // {
  debs = map lock.deb debs;
  # The Debian packages it is made of, as `name version`.
  passthru = { debian = map (name: "${name} ${(lock.get name).version}") debs; } // passthru;
  meta = {
    inherit (main) description;
    homepage = main.homepage or "https://tracker.debian.org/pkg/${main.sourcePackage}";
  } // meta;
})
