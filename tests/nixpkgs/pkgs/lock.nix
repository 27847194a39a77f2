# plywood.lock and debian.json as Nix values, and every package file as a derivation whose hash is known.
{ lib, platform }:
let
  lock = lib.importTOML ../plywood.lock;
  about = lib.importJSON ../debian.json;
  words = line: lib.filter builtins.isString (builtins.split " " line);

  # name version architecture repository path size installed-KiB source source-version sha256
  locked = line:
    let
      word = lib.elemAt (words line);
      name = word 0;
      version = word 1;
      orElse = other: text: if text == "=" then other else text;
    in
    {
      inherit name;
      value = {
        inherit name version;
        upstreamVersion = upstream version;
        sourcePackage = orElse name (word 7);
        path = word 4;
        sha256 = word 9;
        url = "mirror://${word 3}/${word 4}";
      } // about.${platform.debian}.${name} or { };
    };

  # Without the epoch, Debian's revision, and what tells that the source was repacked.
  upstream = version:
    let
      noEpoch = lib.last (lib.splitString ":" version);
      noRevision = builtins.match "(.*)-[^-]*" noEpoch;
      plain = if noRevision == null then noEpoch else lib.head noRevision;
      really = builtins.match ".*[+]really(.*)" plain;
      real = if really == null then plain else lib.head really;
    in
    lib.removeSuffix ".dfsg" (lib.head (builtins.match "([^+~]*).*" real));

  # A file that `cargo xtask nixpkgs` adds to the store, as a hash says all that counts. The URL is nixpkgs' way to name
  # a file without a host; no builder of Nix can fetch it.
  file = { name, url, hash, algorithm ? null, mode ? "flat" }:
    derivation {
      inherit name url;
      system = "builtin";
      builder = "builtin:fetchurl";
      outputHash = hash;
      outputHashAlgo = algorithm;
      outputHashMode = mode;
      preferLocalBuild = true;
    };
in
rec {
  inherit file upstream;

  packages = lib.listToAttrs (map locked lock.packages.${platform.debian}.locked);
  get = name: packages.${name} or (throw "plywood.lock has no Debian package ${name}");

  # `~` is no character of store paths.
  deb = name:
    let package = get name; in
    file {
      name = lib.replaceStrings [ "~" ] [ "-" ] (baseNameOf package.path);
      inherit (package) url;
      hash = package.sha256;
      algorithm = "sha256";
    };

  sources = lib.importTOML ../sources.toml;

  tarball = { name, version, integrity }:
    let plain = lib.replaceStrings [ "@" "/" ] [ "" "-" ] name; in
    file {
      name = "${plain}-${version}.tgz";
      url = "mirror://npm/${name}/-/${baseNameOf name}-${version}.tgz";
      hash = integrity;
    };
  npm = key: tarball sources.npm.${key};

  wheel = key:
    let source = sources.pypi.${key}; in
    file {
      name = source.file;
      url = "mirror://pypi/${source.name}/${source.file}";
      hash = source.sha256;
      algorithm = "sha256";
    };
}
