# A small stdenv: enough for `mkDerivation` with make, for `mkShell`, and for `nix develop`.
{ lib, system, platform, buildSystem, bootstrap, final, ... }:
let
  # What builders and shells have without asking.
  initialPackages = packages: [
    packages.coreutils packages.findutils packages.diffutils packages.gnused packages.gnugrep packages.gawk
    packages.gnutar packages.gzip packages.bzip2 packages.gnumake packages.bash packages.patch packages.xz packages.file
  ];

  # Attributes that say something of the package and nothing to the builder.
  silent = [ "meta" "passthru" "pos" ];

  # The outputs of a derivation made of `rattrs final`, with nixpkgs' way to change its attributes.
  make = rattrs:
    let
      attributes = rattrs package;
      name = attributes.name or "${attributes.pname}-${attributes.version}";
      drv = derivation (removeAttrs attributes silent // {
        inherit name;
        outputs = attributes.outputs or [ "out" ];
        system = buildSystem;
        builder = attributes.builder or "${final.buildPackages.bash}/bin/bash";
        args = attributes.args or [ "-e" ./builder.sh ];
        stdenv = final.stdenv;
        # Only where the packages' own tools are of another architecture than the builder's machine.
        buildTools = if system == buildSystem then "" else lib.makeBinPath (initialPackages final.buildPackages);
      });
      common = {
        overrideAttrs = change: make (self:
          let
            old = rattrs self;
            first = (lib.toFunction change) old;
          in
          old // (if lib.isFunction first then change self old else first));
        meta = { outputsToInstall = [ (lib.head (attributes.outputs or [ "out" ])) ]; } // attributes.meta or { };
        passthru = attributes.passthru or { };
        inherit system;
      }
      // lib.optionalAttrs (attributes ? pname) { inherit (attributes) pname; }
      // lib.optionalAttrs (attributes ? version) { inherit (attributes) version; }
      // attributes.passthru or { };
      outputs = lib.genAttrs (attributes.outputs or [ "out" ]) (output: checkMeta attributes drv.${output} // common // outputs // { outputSpecified = true; });
      package = checkMeta attributes drv // common // outputs;
    in
    package;

  checkMeta = import ./check-meta.nix { inherit lib final; };
in
{
  stdenv = bootstrap.run {
    name = "stdenv-linux";
    args = [ "sh" "-euc" ''
      mkdir -p $out
      sed -e "s,@shell@,$shell,g" -e "s,@initialPath@,$initialPath,g" $setup > $out/setup
    '' ];
    setup = ./setup.sh;
    shell = "${final.bash}/bin/bash";
    initialPath = lib.makeBinPath (initialPackages final);
  } // {
    inherit system;
    mkDerivation = attributes: make (lib.toFunction attributes);
    hostPlatform = platform;
    buildPlatform = lib.systems.elaborate buildSystem;
    targetPlatform = platform;
    inherit (platform) isLinux isDarwin isx86_64 isAarch64;
    # What runs scripts while building.
    shell = "${final.buildPackages.bash}/bin/bash";
    cc = {
      cc = final.gcc-unwrapped;
      libc = final.glibc;
      inherit (final.gcc-unwrapped) version;
    };
    initialPath = initialPackages final;
  };
  stdenvNoCC = final.stdenv;
}
