# The systems the set has packages for, and what is known of each.
let
  known = {
    x86_64-linux = {
      debian = "linux/amd64";
      triplet = "x86_64-linux-gnu";
      loader = "ld-linux-x86-64.so.2";
      cpu = "x86_64";
      # For patchelf: the largest page its kernels use.
      pageSize = 4096;
    };
    aarch64-linux = {
      debian = "linux/arm64";
      triplet = "aarch64-linux-gnu";
      loader = "ld-linux-aarch64.so.1";
      cpu = "aarch64";
      pageSize = 65536;
    };
  };
in
{
  flakeExposed = builtins.attrNames known;

  elaborate =
    system:
    known.${system}
    // {
      inherit system;
      config = "${known.${system}.cpu}-unknown-linux-gnu";
      parsed = {
        cpu.name = known.${system}.cpu;
        kernel.name = "linux";
      };
      isLinux = true;
      isDarwin = false;
      isx86_64 = system == "x86_64-linux";
      isAarch64 = system == "aarch64-linux";
      is64bit = true;
      isUnix = true;
      isMusl = false;
      isStatic = false;
    };
}
