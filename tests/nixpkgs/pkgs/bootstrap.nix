# The first tools: a static busybox by its hash, as nixpkgs begins, and patchelf run by the loader of its own libc. Nothing
# of the machine is used but its kernel.
{ lib, buildSystem }:
let
  lock = import ./lock.nix {
    inherit lib;
    platform = lib.systems.elaborate buildSystem;
  };
in
rec {
  busybox = lock.file {
    name = "busybox";
    url = (lock.get "busybox-static").url;
    hash = lock.sources.bootstrap.busybox;
    mode = "recursive";
  };

  tools = derivation {
    name = "bootstrap-tools";
    system = buildSystem;
    builder = "${busybox}/bin/busybox";
    args = [ "sh" "-eu" ./bootstrap.sh ];
    busybox = "${busybox}/bin/busybox";
    inherit ((lib.systems.elaborate buildSystem)) triplet loader;
    debs = map lock.deb [ "libc6" "libgcc-s1" "libstdc++6" "patchelf" ];
  };

  # A derivation whose script runs in busybox's shell with the first tools on PATH.
  run = attributes:
    derivation ({
      system = buildSystem;
      builder = "${busybox}/bin/busybox";
      PATH = "${tools}/bin";
    } // attributes);
}
