# `import nixpkgs { system; overlays ? [ ]; config ? { }; }`
{
  system ? builtins.currentSystem,
  overlays ? [ ],
  config ? { },
  ...
}:
let
  lib = import ./lib;

  # What derivations are built on, whatever they are for: patchelf works across architectures.
  buildSystem = "x86_64-linux";

  start = final: {
    inherit lib config overlays;
    inherit (final.stdenv.hostPlatform) system;
    path = ./.;

    # The packages that builders run. Overlays stay out of those of another system, as they would change nothing there.
    buildPackages = if system == buildSystem then final else import ./. { system = buildSystem; };

    extend = overlay: import ./. {
      inherit system config;
      overlays = overlays ++ [ overlay ];
    };
    appendOverlays = more: import ./. {
      inherit system config;
      overlays = overlays ++ more;
    };
  };

  layers = [ (import ./pkgs { inherit lib system buildSystem; }) ] ++ overlays;
in
assert lib.assertMsg (builtins.elem system lib.systems.flakeExposed) "the test package set has nothing for ${system}";
lib.fix (lib.extends (lib.composeManyExtensions layers) start)
