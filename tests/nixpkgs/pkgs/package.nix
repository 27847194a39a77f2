# A package whose script runs in busybox's shell, with what nixpkgs' packages have: name, meta, passthru, overrideAttrs.
{ lib, system, platform, bootstrap, final, ... }:
let
  silent = [ "meta" "passthru" "script" ];
  checkMeta = import ./check-meta.nix { inherit lib final; };

  make = rattrs:
    let
      attributes = rattrs package;
      drv = bootstrap.run ({
        name = "${attributes.pname}-${attributes.version}";
        outputs = [ "out" ];
        args = [ "sh" "-eu" attributes.script ];
        inherit (platform) triplet loader pageSize;
        fixUp = ./fix-up.sh;
        libc = final.glibc;
        libraries = [ ];
        interpreters = [ ];
      } // removeAttrs attributes silent);
      package = checkMeta attributes drv // {
        inherit system;
        inherit (attributes) pname version;
        meta = { platforms = lib.platforms.linux; outputsToInstall = attributes.outputs or [ "out" ]; } // attributes.meta or { };
        passthru = attributes.passthru or { };
        overrideAttrs = change: make (self:
          let
            old = rattrs self;
            first = lib.toFunction change old;
          in
          old // (if lib.isFunction first then change self old else first));
      } // attributes.passthru or { }
      # What `derivation` has here lacks all of the above.
      // lib.genAttrs drv.outputs (_: package // { outputSpecified = true; });
    in
    package;
in
attributes: make (lib.toFunction attributes)
