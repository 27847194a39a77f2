# Node.js from the npm package with its program, and tools written for it.
{ lib, system, lock, fromArchive, final, ... }:
let
  inherit (lib) licenses;
  npm = key: lock.sources.npm.${key};

  # A tool whose tarball holds everything it needs; `bin` has its programs and their files.
  tool = pname: bin: meta: fromArchive {
    inherit pname;
    inherit (npm pname) version;
    archives = [ (lock.npm pname) ];
    install = installModule pname bin;
    interpreters = [ final.nodejs ];
    inherit meta;
  };

  installModule = module: bin: ''
    mkdir -p $out/lib/node_modules/${module} $out/bin
    cp -a . $out/lib/node_modules/${module}/
    ${programs module bin}
  '';
  programs = module: bin: lib.concatStrings (lib.mapAttrsToList (name: file: ''
    chmod +x $out/lib/node_modules/${module}/${file}
    ln -s ../lib/node_modules/${module}/${file} $out/bin/${name}
  '') bin);

  eslintLock = lib.importJSON ../eslint/package-lock.json;
  # Path below node_modules to what is locked there.
  modules = lib.filterAttrs (path: _: path != "") eslintLock.packages;
  moduleName = path: lib.last (lib.splitString "node_modules/" path);
in
{
  nodejs_22 = fromArchive {
    pname = "nodejs";
    inherit (npm "node-${system}") version;
    archives = [ (lock.npm "node-${system}") (lock.npm "npm") ];
    libraries = [ final.gcc-unwrapped ];
    interpreters = [ final.bash ];
    install = ''
      cp -a node-linux-*/. $out/
      rm -f $out/package.json $out/README.md $out/CHANGELOG.md
      rm -rf $out/share/man $out/share/doc
      mkdir -p $out/lib/node_modules/npm
      cp -a npm-*/. $out/lib/node_modules/npm/
      chmod +x $out/bin/node $out/lib/node_modules/npm/bin/np?-cli.js
      ln -s ../lib/node_modules/npm/bin/npm-cli.js $out/bin/npm
      ln -s ../lib/node_modules/npm/bin/npx-cli.js $out/bin/npx
    '';
    # npm's programs run in the node beside them.
    postInstall = "sed -i \"1s,.*,#!$out/bin/node,\" lib/node_modules/npm/bin/np?-cli.js";
    passthru = { pkgs = final.nodePackages; };
    meta = {
      homepage = "https://nodejs.org";
      description = "Event-driven I/O framework for the V8 JavaScript engine";
      license = licenses.mit;
      mainProgram = "node";
    };
  };
  nodejs = final.nodejs_22;
  nodejs-slim_22 = final.nodejs_22;

  typescript = tool "typescript" { tsc = "bin/tsc"; tsserver = "bin/tsserver"; } {
    homepage = "https://www.typescriptlang.org/";
    description = "Superset of JavaScript that compiles to clean JavaScript output";
    license = licenses.asl20;
    mainProgram = "tsc";
  };
  typescript-language-server = tool "typescript-language-server" { typescript-language-server = "lib/cli.mjs"; } {
    homepage = "https://github.com/typescript-language-server/typescript-language-server";
    description = "Language Server Protocol implementation for TypeScript using tsserver";
    license = licenses.asl20;
  };
  prettier = tool "prettier" { prettier = "bin/prettier.cjs"; } {
    homepage = "https://prettier.io/";
    description = "Code formatter";
    license = licenses.mit;
  };
  pyright = tool "pyright" { pyright = "index.js"; pyright-langserver = "langserver.index.js"; } {
    homepage = "https://github.com/Microsoft/pyright";
    description = "Type checker for the Python language";
    license = licenses.mit;
  };

  eslint = fromArchive {
    pname = "eslint";
    inherit (modules."node_modules/eslint") version;
    archives = lib.mapAttrsToList (path: module: lock.tarball { name = moduleName path; inherit (module) version integrity; }) modules;
    interpreters = [ final.nodejs ];
    install = "mkdir -p $out/lib $out/bin\n" + lib.concatStrings (lib.mapAttrsToList (path: module: ''
      mkdir -p $out/lib/${path}
      cp -a ${(lock.tarball { name = moduleName path; inherit (module) version integrity; }).name}/. $out/lib/${path}/
    '') modules) + programs "eslint" { eslint = "bin/eslint.js"; };
    meta = {
      homepage = "https://eslint.org";
      description = "Pluggable linter for JavaScript";
      license = licenses.mit;
    };
  };

  # Gone from today's nixpkgs, where these have top-level names; still asked for.
  nodePackages = lib.genAttrs [ "eslint" "prettier" "pyright" "typescript" "typescript-language-server" ] (name: final.${name});
}
