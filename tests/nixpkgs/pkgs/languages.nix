# Python with its packages from PyPI, and Node.js with its from npm.
{ lib, system, lock, package, fromDeb, fromArchive, final, ... }@context:
let
  inherit (lib) licenses;
  native = name: "${name}-${system}";
  npm = key: lock.sources.npm.${key};
  wheel = key: lock.sources.pypi.${key};

  # A program of a wheel.
  program = pname: homepage: description: license: fromArchive {
    inherit pname;
    inherit (wheel (native pname)) version;
    archives = [ (lock.wheel (native pname)) ];
    libraries = [ final.gcc-unwrapped ];
    install = ''
      mkdir -p $out/bin
      cp *.data/scripts/* $out/bin/
      chmod +x $out/bin/*
    '';
    meta = { inherit homepage description license; mainProgram = pname; };
  };
in
import ./python.nix context // import ./node.nix context // {
  uv = program "uv" "https://github.com/astral-sh/uv" "Python package and project manager" licenses.asl20;
  ruff = program "ruff" "https://github.com/astral-sh/ruff" "Python linter and code formatter" licenses.mit;

  bun = fromArchive {
    pname = "bun";
    inherit (npm (native "bun")) version;
    archives = [ (lock.npm (native "bun")) ];
    libraries = [ final.gcc-unwrapped ];
    install = ''
      mkdir -p $out/bin
      cp bin/bun $out/bin/
      chmod +x $out/bin/bun
      ln -s bun $out/bin/bunx
    '';
    meta = {
      homepage = "https://bun.sh";
      description = "JavaScript runtime, bundler, transpiler and package manager";
      license = licenses.mit;
      mainProgram = "bun";
    };
  };
}
