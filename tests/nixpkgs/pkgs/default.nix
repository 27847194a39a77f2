# Every package of one system, as an overlay over nothing.
{ lib, system, buildSystem }:
final: prev:
let
  platform = lib.systems.elaborate system;
  lock = import ./lock.nix { inherit lib platform; };
  bootstrap = import ./bootstrap.nix { inherit lib buildSystem; };
  context = { inherit lib system platform buildSystem lock bootstrap package fromDeb fromArchive final prev; };
  package = import ./package.nix context;
  fromDeb = import ./from-deb.nix context;
  fromArchive = import ./from-archive.nix context;
in
{
  callPackage = lib.callPackageWith final;
  newScope = extra: lib.callPackageWith (final // extra);

  # Libraries, and whatever else the lock has, by Debian's names: each a store path of its own.
  debianPackages = lib.mapAttrs (name: _: final.libraryOf name) lock.packages;
  libraryOf = name: if name == "libc6" then final.glibc else fromDeb { pname = name; };
}
// import ./stdenv.nix context
// import ./build-support.nix context
// import ./tools.nix context
// import ./languages.nix context
// import ./bench.nix context
