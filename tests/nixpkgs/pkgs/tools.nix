# Programs and libraries that come from Debian, by nixpkgs' names.
{ lib, lock, platform, fromDeb, final, ... }:
let
  inherit (lib) licenses;

  # A program under the name of its Debian package.
  tool = debs: license: more: fromDeb ({
    inherit debs;
    interpreters = [ final.bash ];
  } // removeAttrs more [ "meta" ] // {
    meta = { inherit license; } // more.meta or { };
  });
  library = debs: license: more: fromDeb ({ inherit debs; meta.license = license; } // more);
  direnvrcVersion = "0.1.0";
  rename = from: to: ''
    mv bin/${from} bin/${to}
  '';
in
{
  # What stdenv and every shell is made of
  bash = fromDeb {
    pname = "bash";
    postInstall = "ln -s bash bin/sh";
    meta = { license = licenses.gpl3Plus; mainProgram = "bash"; };
    passthru.shellPath = "/bin/bash";
  };
  bashInteractive = final.bash;
  coreutils = tool [ "coreutils" ] licenses.gpl3Plus { };
  diffutils = tool [ "diffutils" ] licenses.gpl3Plus { meta.mainProgram = "diff"; };
  findutils = tool [ "findutils" ] licenses.gpl3Plus { meta.mainProgram = "find"; };
  gawk = tool [ "gawk" ] licenses.gpl3Plus { postInstall = "ln -s gawk bin/awk"; };
  gnugrep = tool [ "grep" ] licenses.gpl3Plus { pname = "gnugrep"; meta.mainProgram = "grep"; };
  gnused = tool [ "sed" ] licenses.gpl3Plus { pname = "gnused"; meta.mainProgram = "sed"; };
  gnutar = tool [ "tar" ] licenses.gpl3Plus { pname = "gnutar"; meta.mainProgram = "tar"; };
  gnumake = tool [ "make" ] licenses.gpl3Plus { pname = "gnumake"; meta.mainProgram = "make"; };
  gzip = tool [ "gzip" ] licenses.gpl3Plus { };
  bzip2 = tool [ "bzip2" ] licenses.bzip2 { };
  patch = tool [ "patch" ] licenses.gpl3Plus { };
  xz = tool [ "xz-utils" ] licenses.gpl2Plus { pname = "xz"; };
  zstd = tool [ "zstd" ] licenses.bsd3 { };
  file = tool [ "file" "libmagic1t64" "libmagic-mgc" ] licenses.bsd2 {
    pname = "file";
    # The place of its data is compiled in.
    postFixup = ''
      mv bin/file bin/.file-wrapped
      printf '#!%s/bin/bash\nMAGIC=''${MAGIC:-%s/lib/file/magic.mgc} exec -a "$0" %s/bin/.file-wrapped "$@"\n' ${final.bash} $out $out > bin/file
      chmod +x bin/file
    '';
  };
  less = tool [ "less" ] licenses.gpl3Plus { };
  procps = tool [ "procps" ] licenses.gpl2Plus { meta.mainProgram = "ps"; };
  which = tool [ "gnu-which" ] licenses.gpl3Plus { pname = "which"; postInstall = rename "which.gnu" "which"; };

  # Libraries
  glibc = fromDeb {
    pname = "glibc";
    debs = [ "libc6" ];
    libc = "";
    postInstall = "rm -rf etc share/doc/libc6/NEWS*";
    meta = { license = licenses.lgpl21Plus; description = "GNU C Library"; };
  };
  gcc-unwrapped = fromDeb {
    pname = "gcc";
    debs = [ "libgcc-s1" "libstdc++6" ];
    outputs = [ "lib" ];
    postInstall = "rm -rf share";
    meta = { license = licenses.gccRuntime; description = "GNU Compiler Collection, its run-time libraries"; };
  };
  libgcc = final.gcc-unwrapped;
  zlib = library [ "zlib1g" ] licenses.zlib { pname = "zlib"; };
  openssl = library [ "openssl" "libssl3t64" ] licenses.asl20 {
    pname = "openssl";
    meta = { license = licenses.asl20; mainProgram = "openssl"; };
  };
  ncurses = library [ "ncurses-base" "libtinfo6" "libncursesw6" "ncurses-bin" ] licenses.ncurses { pname = "ncurses"; };
  sqlite = tool [ "sqlite3" ] licenses.publicDomain { pname = "sqlite"; meta.mainProgram = "sqlite3"; };

  # Data
  cacert = fromDeb {
    pname = "nss-cacert";
    debs = [ "ca-certificates" ];
    postInstall = ''
      mkdir -p etc/ssl/certs
      cat share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-bundle.crt
      ln -s ca-bundle.crt etc/ssl/certs/ca-certificates.crt
      rm -rf bin share/ca-certificates etc/ca-certificates
    '';
    meta = { license = licenses.mpl20; description = "Bundle of certificates of trusted authorities"; };
  };
  tzdata = fromDeb {
    pname = "tzdata";
    postInstall = "rm -rf bin etc";
    meta.license = licenses.publicDomain;
  };

  # Tools
  bat = tool [ "bat" ] licenses.asl20 { postInstall = rename "batcat" "bat"; };
  curl = tool [ "curl" ] licenses.curl { };
  direnv = tool [ "direnv" ] licenses.mit { };
  fd = tool [ "fd-find" ] licenses.asl20 { pname = "fd"; postInstall = rename "fdfind" "fd"; };
  fzf = tool [ "fzf" ] licenses.mit { };
  git = tool [ "git" ] licenses.gpl2Only { postInstall = builtins.readFile ./git.sh; };
  hello = tool [ "hello" ] licenses.gpl3Plus { };
  jq = tool [ "jq" ] licenses.mit { };
  ripgrep = tool [ "ripgrep" ] licenses.mit { meta.mainProgram = "rg"; };
  tree = tool [ "tree" ] licenses.gpl2Plus { };
  zsh = tool [ "zsh-static" "zsh-common" ] licenses.zsh {
    pname = "zsh";
    # Static, since the place of its modules is compiled in; its functions have a variable.
    postInstall = ''
      rm -rf etc bin/zsh5-static
      mv bin/zsh-static bin/.zsh-wrapped
      functions=$(find $out/share/zsh/functions -type d | sort | tr '\n' ':')
      printf '#!/bin/bash\nexport FPATH=''${FPATH:-%s}\nexec -a "$0" %s/bin/.zsh-wrapped "$@"\n' "''${functions%:}" $out > bin/zsh
      chmod +x bin/zsh
    '';
    passthru.shellPath = "/bin/zsh";
  };
  nix = fromDeb {
    pname = "nix";
    debs = [ "nix-bin" ];
    interpreters = [ final.bash ];
    meta = { license = licenses.lgpl21Plus; mainProgram = "nix"; };
  };
  nix-direnv = final.runCommand "nix-direnv-${direnvrcVersion}" {
    pname = "nix-direnv";
    version = direnvrcVersion;
    meta = {
      description = "A direnvrc of the test package set's own, in the place of nix-direnv";
      homepage = "https://direnv.net";
      license = licenses.mit;
    };
  } ''
    mkdir -p $out/share/nix-direnv
    cp ${./direnvrc} $out/share/nix-direnv/direnvrc
  '';
}
