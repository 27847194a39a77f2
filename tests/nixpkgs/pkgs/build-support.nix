# nixpkgs' small builders.
{ lib, final, ... }:
let
  inherit (final.stdenv) mkDerivation;

  runCommand = name: environment: buildCommand:
    mkDerivation ({ inherit name buildCommand; } // environment);

  writeTextFile = { name, text, executable ? false, destination ? "" }:
    runCommand name { inherit text; passAsFile = [ "text" ]; } ''
      target=$out${lib.escapeShellArg destination}
      mkdir -p "''${target%/*}"
      cp "$textPath" "$target"
      ${lib.optionalString executable "chmod +x \"$target\""}
    '';

  # One tree of links over several packages; what two of them have is of the one with the lower priority, else an error.
  buildEnv = { name, paths, pathsToLink ? [ "/" ], ignoreCollisions ? false, postBuild ? "", meta ? { }, passthru ? { }, ... }:
    let
      priority = package: toString (package.meta.priority or 5);
      all = lib.filter (path: path != null) (lib.flatten paths);
    in
    runCommand name {
      inherit meta passthru;
      # Not `paths`: bash would not tell where one ends.
      packages = map (path: "${priority path}:${path}") all;
      links = pathsToLink;
      ignore = ignoreCollisions;
    } ''
      mkdir -p $out
      declare -A owner priorities
      for entry in $packages; do
        priority=''${entry%%:*} package=''${entry#*:}
        for link in $links; do
          root=$package''${link%/}
          [ -d "$root" ] || continue
          while IFS= read -r -d "" path; do
            path=''${path#"$package"/}
            if [ -n "''${owner[$path]-}" ] && [ "$(readlink -f "$package/$path")" != "$(readlink -f "''${owner[$path]}/$path")" ]; then
              if [ "$priority" = "''${priorities[$path]}" ]; then
                [ -n "$ignore" ] && continue
                echo "$path is in ''${owner[$path]} and in $package" >&2
                exit 1
              fi
              [ "$priority" -lt "''${priorities[$path]}" ] || continue
            fi
            owner[$path]=$package priorities[$path]=$priority
            mkdir -p "$out/$(dirname "$path")"
            ln -sfn "$package/$path" "$out/$path"
          done < <(find "$root/" ! -type d ! -path "$package/nix-support/*" -print0 | sort -z)
        done
      done
      ${postBuild}
    '';

  # An environment variable must be a text: lists and packages become one, as `derivation` does it.
  mkShell =
    { name ? "nix-shell", packages ? [ ], inputsFrom ? [ ], buildInputs ? [ ], nativeBuildInputs ? [ ]
    , propagatedBuildInputs ? [ ], shellHook ? "", env ? { }, ... }@attributes:
    let
      from = field: lib.subtractLists inputsFrom (lib.flatten (lib.catAttrs field inputsFrom));
      rest = removeAttrs attributes [ "packages" "inputsFrom" "env" ];
    in
    mkDerivation (env // rest // {
      inherit name;
      buildInputs = buildInputs ++ from "buildInputs";
      nativeBuildInputs = packages ++ nativeBuildInputs ++ from "nativeBuildInputs";
      propagatedBuildInputs = propagatedBuildInputs ++ from "propagatedBuildInputs";
      shellHook = lib.concatStringsSep "\n" (lib.filter (text: text != "") (lib.catAttrs "shellHook" (lib.reverseList inputsFrom ++ [ attributes ])));
      phases = [ "buildPhase" ];
      buildPhase = ''
        { echo "# What the shell exports; only so that it can be built and kept."; export; } > "$out"
      '';
    });
in
{
  inherit runCommand writeTextFile buildEnv mkShell;
  mkShellNoCC = mkShell;
  runCommandLocal = runCommand;
  runCommandNoCC = runCommand;
  symlinkJoin = { name, paths, postBuild ? "", meta ? { }, passthru ? { }, ... }:
    buildEnv { inherit name paths postBuild meta passthru; ignoreCollisions = true; };
  linkFarm = name: entries:
    runCommand name { } ("mkdir -p $out\n" + lib.concatMapStrings (entry: ''
      mkdir -p "$out/$(dirname ${lib.escapeShellArg entry.name})"
      ln -s ${entry.path} $out/${lib.escapeShellArg entry.name}
    '') entries);
  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir = path: text: writeTextFile { name = baseNameOf path; inherit text; destination = "/${path}"; };
  writeScript = name: text: writeTextFile { inherit name text; executable = true; };
  writeShellScript = name: text:
    writeTextFile { inherit name; text = "#!${final.bash}/bin/bash\n${text}"; executable = true; };
  writeShellScriptBin = name: text:
    writeTextFile { inherit name; text = "#!${final.bash}/bin/bash\n${text}"; executable = true; destination = "/bin/${name}"; }
    // { meta.mainProgram = name; };
}
