{
  description = "The team's packages and development shells; plywood.toml says what they are";

  # A branch that gets security updates; `nix flake update` moves within it, never to the next.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    inputs:
    import ./nix/plywood.nix {
      inherit inputs;
      manifest = ./plywood.toml;

      # Changes to packages, each an overlay over those before it.
      overlays = [ ];

      # Nothing unfree, broken or insecure unless it is named: allowUnfreePredicate, permittedInsecurePackages …
      config = { };
    };
}
