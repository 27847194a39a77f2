# Interactive shells, whatever a user's dotfiles do to ~/.bashrc. Debian's own file stands beside this one.
. /etc/bash.bashrc.distrib

if [ -n "${PS1-}" ]; then
    . /etc/profile.d/nix.sh
    eval "$(direnv hook bash)"
fi
