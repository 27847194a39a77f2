# Reads the sets and shells of a plywood.toml for a flake. The same file serves every workspace: `plywood init` writes it.
#
#   devShells.<system>.<name>   the shells of the manifest, for `nix develop .#<name>`
#   lib.plywood.<system>        what `plywood lock` asks for
#
# Evaluated by Nix 2.8 and later, in pure mode, from the flake's inputs alone.
{
  # The inputs of the flake, `self` among them.
  inputs,
  # The path of plywood.toml.
  manifest,
  # The input that attributes without `#` are taken from.
  nixpkgs ? inputs.nixpkgs,
  overlays ? [ ],
  config ? { },
}:
let
  inherit (builtins)
    attrNames attrValues concatMap concatStringsSep elem elemAt filter foldl' fromTOML genericClosure head isAttrs isInt isList
    isString listToAttrs map mapAttrs match readFile removeAttrs replaceStrings split tail toFile toJSON toString
    tryEval typeOf;

  toml = fromTOML (readFile manifest);
  sets = toml.sets or { };
  shells = toml.shells or { };

  systemOf = {
    "linux/amd64" = "x86_64-linux";
    "linux/arm64" = "aarch64-linux";
  };
  platforms =
    toml.workspace.platforms or (attrNames systemOf)
    ++ concatMap (image: image.platforms or [ ]) (attrValues (toml.images or { }));
  eachSystem = function: listToAttrs (map (platform: rec { name = systemOf.${platform}; value = function name; }) platforms);

  forSystem =
    system:
    let
      pkgs = import nixpkgs { inherit system overlays config; };

      unique = foldl' (list: member: if elem member list then list else list ++ [ member ]) [ ];

      # The sets that `names` stand for, those within a set before it.
      within = names: unique (concatMap (name: within (sets.${name}.sets or [ ]) ++ [ name ]) names);

      # Where `a.b` leads below `start`: `{ found; }`, or the name that is missing and what there is in its place. What cannot
      # be evaluated, as a name that nixpkgs no longer has, is found: why is asked later.
      follow =
        start: path:
        let
          name = head path;
        in
        if path == [ ] || !(tryEval (isAttrs start)).success then
          { found = start; }
        else if !isAttrs start || !(start ? ${name}) then
          { missing = name; known = if isAttrs start then attrNames start else [ ]; }
        else
          follow start.${name} (tail path);

      # `python312`, `openssl.dev`, or `input#attribute`.
      lookUp =
        text:
        let
          parts = match "(([^#]*)#)?(.*)" text;
          input = elemAt parts 1;
          path = filter isString (split "[.]" (elemAt parts 2));
          flake = inputs.${input};
          places = filter (place: place != null) [
            (flake.packages.${system} or null)
            (flake.legacyPackages.${system} or null)
          ];
          tries = map (place: follow place path) places;
          found = filter (one: one ? found) tries;
        in
        if input == null then
          follow pkgs path
        else if !(inputs ? ${input}) then
          { missing = input; known = filter (name: name != "self") (attrNames inputs); input = true; }
        else if found != [ ] then
          head found
        else if tries != [ ] then
          head tries
        else
          { missing = input; known = [ ]; input = true; };

      # Nix 2.8 reads no file of its own making in pure mode, unless its hash is told.
      importText =
        text:
        import (
          builtins.path {
            path = toFile "packages.nix" text;
            name = "packages.nix";
            recursive = false;
            sha256 = builtins.hashString "sha256" text;
          }
        );

      packagesOfText =
        text:
        let
          packages = importText text pkgs;
        in
        if isList packages then packages else throw "the expression gives a ${typeOf packages}, not a list of packages";

      isPackage = value: (tryEval (isAttrs value && (value.type or null) == "derivation")).value;

      # What a set or shell names, each as `{ attribute; package; }` or `{ attribute; missing; known; }`.
      listed =
        table:
        map (
          attribute:
          let
            result = lookUp attribute;
          in
          { inherit attribute; }
          // (if result ? found then { package = result.found; } else removeAttrs result [ "found" ])
        ) (table.packages or [ ])
        ++ (
          if table ? expression then
            map (package: { attribute = "expression"; inherit package; }) (packagesOfText table.expression)
          else
            [ ]
        );

      packagesOf = table: map (one: one.package) (filter (one: one ? package && isPackage one.package) (listed table));

      # The outputs that people install, without documentation; the one that is named, where one is.
      outputsOf =
        package:
        let
          wanted = filter (output: !(elem output [ "man" "doc" "info" "devdoc" "devman" ])) (
            package.meta.outputsToInstall or [ (package.outputName or "out") ]
          );
        in
        if package.outputSpecified or false || wanted == [ ] then [ (package.outputName or "out") ] else wanted;

      # As plain values: `{ attribute; output; path; derivation; priority; }`, `{ attribute; missing; known; }`,
      # `{ attribute; kind; }` of what is no package, or `{ attribute; refused; }` of what evaluation refuses.
      root =
        priority: one:
        let
          inherit (one) attribute;
          outputs = map (output: {
            inherit attribute output;
            path = one.package.${output}.outPath or one.package.outPath;
            derivation = one.package.drvPath;
            priority = if priority != null then priority else said (one.package.meta.priority or null) isInt;
          }) (outputsOf one.package);
          tried = tryEval (builtins.deepSeq outputs outputs);
          kind = tryEval (builtins.typeOf one.package);
        in
        if !(one ? package) then
          [ one ]
        else if !kind.success then
          [ { inherit attribute; refused = true; } ]
        else if !(isPackage one.package) then
          [ { inherit attribute; kind = kind.value; } ]
        else if !tried.success then
          [ { inherit attribute; refused = true; } ]
        else
          tried.value;

      rootsOf = table: concatMap (root (table.priority or null)) (listed table);

      said = value: test: let tried = tryEval value; in if tried.success && test tried.value then tried.value else null;

      # Licences as SPDX identifiers, where nixpkgs knows one.
      licence =
        one:
        if isString one then
          "LicenseRef-nixpkgs-${word one}"
        else if isAttrs one then
          one.spdxId or "LicenseRef-nixpkgs-${word (one.shortName or one.fullName or "unknown")}"
        else
          "LicenseRef-nixpkgs-unknown";
      word = text: concatStringsSep "-" (filter (part: isString part && part != "") (split "[^A-Za-z0-9.]+" text));

      about =
        package:
        let
          tried = tryEval (
            let
              meta = package.meta or { };
              licences = if isList (meta.license or [ ]) then meta.license or [ ] else [ meta.license ];
              value = {
                licences = map licence licences;
                homepage = said (if isList (meta.homepage or null) then head (meta.homepage ++ [ null ]) else meta.homepage or null) isString;
                outputs = map (output: package.${output}.outPath) (package.outputs or [ "out" ]);
              };
            in
            builtins.deepSeq value value
          );
        in
        if isPackage package && tried.success then [ tried.value ] else [ ];

      # The packages and, through what they are built from, most of what they need when they run.
      reachable =
        packages:
        let
          item =
            package:
            let
              key = tryEval package.outPath;
            in
            if isPackage package && key.success then [ { key = builtins.unsafeDiscardStringContext key.value; inherit package; } ] else [ ];
          inputsOf =
            package:
            concatMap
              (field: let tried = tryEval (package.${field} or [ ]); in if tried.success && isList tried.value then concatMap flat tried.value else [ ])
              [ "buildInputs" "propagatedBuildInputs" ];
          flat = value: if isList value then concatMap flat value else [ value ];
          libc = filter isPackage [ (pkgs.stdenv.cc.libc or null) (pkgs.stdenv.cc.cc.lib or null) ];
        in
        map (one: one.package) (genericClosure {
          startSet = concatMap item (packages ++ libc);
          operator = one: concatMap item (inputsOf one.package);
        });

      quoted = text: "'" + replaceStrings [ "'" ] [ "'\\''" ] text + "'";
      exports = env: concatStringsSep "" (attrValues (mapAttrs (name: value: "export ${name}=${quoted value}\n") env));

      # No compiler: a shell that needs one names it.
      mkShell = pkgs.mkShellNoCC or pkgs.mkShell;
      shellOf =
        name: table:
        let
          packages = concatMap (set: packagesOf sets.${set}) (within (table.sets or [ ])) ++ packagesOf table;
          env = table.env or { };
          arguments = {
            nativeBuildInputs = packages;
            shellHook = exports env + table.hook or "";
          };
          develop = mkShell (arguments // { inherit name; });
        in
        {
          inherit packages develop;
          # The variables that the shell exports, as JSON. What the builder has of its own is not among them, and those that
          # the manifest sets are never the builder's: `out` or `IFS` would be the end of it. The hook is none of it.
          environment = mkShell (
            removeAttrs arguments [ "shellHook" ]
            // {
              name = "${name}-environment";
              buildCommand =
                "leftOut=' ${concatStringsSep " " (attrNames (develop.drvAttrs or { } // env) ++ [ "buildCommand" "out" "outputs" ])} '\n"
                + "declared=${quoted (concatStringsSep ",\n" (attrValues (mapAttrs (key: value: "${toJSON key}:${toJSON value}") env)))}\n"
                + "initialPath=':${concatStringsSep ":" (map (package: "${package}/bin") (pkgs.stdenv.initialPath or [ ]))}:'\n"
                + "ownPath=':${concatStringsSep ":" (map (package: "${package}/bin") packages)}:'\n"
                + readFile ./environment.sh;
            }
          );
        };
      made = mapAttrs shellOf shells;

      # Every input with its own inputs: the sources that an evaluation may read.
      sources = map (one: one.key) (genericClosure {
        startSet = concatMap (name: sourceOf inputs.${name}) (filter (name: name != "self") (attrNames inputs));
        operator = one: concatMap sourceOf (attrValues one.inputs);
      });
      sourceOf = input: [ { key = builtins.unsafeDiscardStringContext (toString input.outPath); inputs = input.inputs or { }; } ];
    in
    {
      devShells =
        let
          all = mapAttrs (_: shell: shell.develop) made;
          only = attrValues all;
        in
        all // (if builtins.length only == 1 && !(all ? default) then { default = head only; } else { });

      plywood = {
        # What is listed, as it is: for a closer look at what evaluation refuses.
        packages = {
          sets = mapAttrs (_: listed) sets;
          shells = mapAttrs (_: listed) shells;
        };

        values = {
          inherit sources;
          # The oldest Nix that this nixpkgs is for.
          neededNix =
            let
              file = nixpkgs + "/lib/minver.nix";
            in
            if builtins.pathExists file then said (import file) isString else null;
          sets = mapAttrs (_: table: { roots = rootsOf table; }) sets;
          # Roots of a shell are its own; those of its sets are with the sets.
          shells = mapAttrs (name: table: {
            roots = rootsOf table;
            sets = within (table.sets or [ ]);
            environment = said made.${name}.environment.drvPath isString;
            develop = said made.${name}.develop.drvPath isString;
          }) shells;
          about = concatMap about (
            reachable (concatMap packagesOf (attrValues sets) ++ concatMap (shell: shell.packages) (attrValues made))
          );
        };
      };
    };

  all = eachSystem forSystem;
in
{
  devShells = mapAttrs (_: one: one.devShells) all;
  lib.plywood = mapAttrs (_: one: one.plywood) all;
}
