# Debian's Python with packages from PyPI. Its attributes say `python312` as manifests do; its version is its own.
{ lib, system, buildSystem, lock, fromDeb, fromArchive, final, ... }:
let
  inherit (lib) licenses;
  series = lib.concatStringsSep' "." (lib.take 2 (lib.splitVersion (lock.get "python3").upstreamVersion));
  sitePackages = "lib/python${series}/site-packages";

  # Byte code that stays valid: without it, whoever may write to the store would change it by running Python.
  compile = folder: ''
    PYTHONHASHSEED=0 ${if system == buildSystem then "$interpreter" else final.buildPackages.python3}/bin/python3 -m compileall \
      -q -f --invalidation-mode unchecked-hash ${folder} > /dev/null
  '';

  python3 = fromDeb {
    pname = "python3";
    debs = [ "python${series}-minimal" "libpython${series}-minimal" "libpython${series}-stdlib" "python${series}" ];
    postInstall = ''
      rm -rf lib/binfmt.d lib/python3 share/applications share/binfmts share/pixmaps
      ln -s python${series} bin/python3
      ln -s python${series} bin/python
      ln -s pydoc${series} bin/pydoc3
      mkdir -p ${sitePackages}
      sed -i "1s,.*,#!$out/bin/python${series}," bin/pydoc${series} bin/pygettext${series}
    '';
    postFixup = "interpreter=$out\n" + compile "lib/python${series}";
    meta = {
      homepage = "https://www.python.org";
      description = "High-level dynamically-typed programming language";
      license = licenses.psfl;
      mainProgram = "python3";
    };
    passthru = {
      pythonVersion = series;
      inherit sitePackages;
      pkgs = final.python3Packages;
      interpreter = "${final.python3}/bin/python3";
      withPackages = choose: environment (choose final.python3Packages);
      buildEnv = { override = { extraLibs ? [ ], ... }: environment extraLibs; };
    };
  };

  # Packages and what they need, each once.
  closure = packages:
    map (entry: entry.package) (builtins.genericClosure {
      startSet = map keyed packages;
      operator = entry: map keyed (entry.package.dependencies or [ ]);
    });
  keyed = package: { key = package.outPath; inherit package; };

  # A virtual environment whose packages are links: Python finds them since it does not resolve its own path.
  environment = packages: final.runCommand "python3-${final.python3.version}-env" {
    inherit (final.python3) version;
    passthru = { inherit (final.python3) interpreter sitePackages pythonVersion; python = final.python3; };
    meta = final.python3.meta // { description = "Python with packages"; };
  } ''
    mkdir -p $out/bin $out/${sitePackages}
    for program in ${final.python3}/bin/*; do
      ln -s "$program" $out/bin/
    done
    printf 'home = %s\ninclude-system-site-packages = false\nversion = %s\n' \
      ${final.python3}/bin ${final.python3.version} > $out/pyvenv.cfg
    for package in ${toString (closure packages)}; do
      for path in "$package"/${sitePackages}/*; do
        ln -sfn "$path" $out/${sitePackages}/
      done
      if [ -d "$package/bin" ]; then
        for program in "$package"/bin/*; do ln -sf "$program" $out/bin/; done
      fi
    done
  '';

  # A pure wheel; its programs are those of its entry points.
  wheel = key: license: dependencies:
    let
      source = lock.sources.pypi.${key};
      packages = map (name: final.python3Packages.${name}) dependencies;
    in
    fromArchive {
      pname = key;
      inherit (source) version;
      name = "python${series}-${key}-${source.version}";
      archives = [ (lock.wheel key) ];
      interpreter = final.python3;
      install = ''
        mkdir -p $out/${sitePackages}
        cp -a . $out/${sitePackages}/
      '';
      # Where a program's modules are, its own among them.
      paths = map (package: "${package}/${sitePackages}") (closure packages);
      postInstall = builtins.readFile ./entry-points.sh;
      postFixup = compile sitePackages;
      passthru = { dependencies = packages; propagatedBuildInputs = packages; pythonModule = final.python3; };
      meta = { inherit license; homepage = "https://pypi.org/project/${key}/"; description = "Python package ${key}"; };
    };
in
{
  inherit python3;
  python312 = final.python3;
  python = final.python3;
  python312Packages = final.python3Packages;
  python3Packages = {
    python = final.python3;
    certifi = wheel "certifi" licenses.mpl20 [ ];
    charset-normalizer = wheel "charset-normalizer" licenses.mit [ ];
    distlib = wheel "distlib" licenses.psfl [ ];
    filelock = wheel "filelock" licenses.mit [ ];
    idna = wheel "idna" licenses.bsd3 [ ];
    packaging = wheel "packaging" licenses.asl20 [ ];
    pip = wheel "pip" licenses.mit [ ];
    platformdirs = wheel "platformdirs" licenses.mit [ ];
    python-discovery = wheel "python-discovery" licenses.mit [ "filelock" "platformdirs" ];
    requests = wheel "requests" licenses.asl20 [ "certifi" "charset-normalizer" "idna" "urllib3" ];
    setuptools = wheel "setuptools" licenses.mit [ ];
    urllib3 = wheel "urllib3" licenses.mit [ ];
    virtualenv = wheel "virtualenv" licenses.mit [ "distlib" "filelock" "packaging" "platformdirs" "python-discovery" ];
  };
}
