# Runs the probe with all the rights there are, and says which: root, sudo, or why not.
# Arguments: the script, nonce, whether a password for sudo stands ready on stdin, then the script's own.
script=$1
nonce=$2
password=$3
shift 3
PATH=$PATH:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
run() {
    rights=$1
    shift
    exec sh -c "$script" pydock-probe "$nonce" "$rights" "$@"
}
# The kernel says who we are; `id` would be one program more.
uid=
[ ! -r /proc/self/status ] || while read -r word real uid rest; do
    [ "$word" != Uid: ] || break
done </proc/self/status
case $uid in '' | *[!0-9]*) uid=$(id -u) ;; esac
[ "$uid" != 0 ] || run root "$@"
command -v sudo >/dev/null 2>&1 || run missing "$@"
if refusal=$(sudo -n true 2>&1 </dev/null); then
    exec sudo -n sh -c "$script" pydock-probe "$nonce" sudo "$@"
fi
case $refusal in
*tty*) run terminal-needed "$@" ;;
*"not in the sudoers"* | *"not allowed"* | *"may not run"*) run not-allowed "$@" ;;
esac
[ "$password" = password ] || run password-needed "$@"
exec 4>&1
if refusal=$(sudo -S -p '' sh -c "$script" pydock-probe "$nonce" sudo "$@" 2>&1 >&4); then
    exit 0
fi
case $refusal in
*"not in the sudoers"* | *"not allowed"* | *"may not run"*) run not-allowed "$@" ;;
*tty*) run terminal-needed "$@" ;;
esac
run wrong-password "$@"
