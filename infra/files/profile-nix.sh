# What a user installed with `nix profile` comes first.
case ":$PATH:" in
*":$HOME/.nix-profile/bin:"*) ;;
*) PATH="$HOME/.nix-profile/bin:$PATH" ;;
esac
