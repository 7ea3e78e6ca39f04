"""What bash, zsh and fish offer for a line, asked of the shells themselves (commands.py and packages.py use it).

The script of completions is read as `skipc completion SHELL` prints it; where none is given, the shell finds what is installed.
"""
import os
import pty
import shutil
import subprocess
import tempfile

SHELLS = ("bash", "zsh", "fish")

# bash: as readline calls it, with the words of COMP_WORDBREAKS apart.
BASH = """\
[ -z "$SCRIPT" ] || . "$SCRIPT"
[ -n "$SCRIPT" ] || { . /usr/share/bash-completion/bash_completion; _completion_loader skipc; }
while IFS= read -r line; do
	words=${line//=/ = }
	COMP_WORDS=($words)
	case $words in *' ') COMP_WORDS+=('') ;; esac
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	_skipc 2> /dev/null
	echo "line $line"
	printf '%s\\n' "${COMPREPLY[@]}"
done < "$LINES_FILE"
"""
# zsh offers in its line editor alone: each line in turn is what was typed there; compadd says what it is given to offer.
ZSH = """\
[[ -z $SCRIPT ]] || fpath=(${SCRIPT:h} $fpath)
autoload -U compinit; compinit -u -D
compadd() {
	if [[ -n ${(M)@:#-[OAD]*} ]]; then builtin compadd "$@"; return; fi
	local -a hits
	builtin compadd -A hits "$@"
	print -rl -- $hits >> $OUT
	builtin compadd "$@"
}
_offer() { _main_complete; }
zle -C offer list-choices _offer
zle-line-init() {
	local line
	while IFS= read -r line <&7; do
		print -r -- "line $line" >> $OUT
		BUFFER=$line; CURSOR=$#BUFFER
		zle offer
	done
	exit
}
zle -N zle-line-init
exec 7< $LINES_FILE
"""
FISH = """\
test -z "$SCRIPT"; or source "$SCRIPT"
while read -l line
	echo "line $line"
	complete -C "$line"
end < "$LINES_FILE"
"""


def in_terminal(command, **options):
    """Runs it with a terminal of its own; what that shows."""
    master, slave = pty.openpty()
    begun = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, **options)
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 4096):
            shown += part
    except OSError:
        pass  # the end of it
    os.close(master)
    begun.wait(timeout=60)
    return shown.decode(errors="replace")


def offers(shell, script, lines, folder):
    """What it offers in that folder for each of the lines: words by line, and all that it said. script: null: what is installed."""
    with tempfile.TemporaryDirectory() as work:
        environment = {"PATH": os.environ["PATH"], "HOME": work, "ZDOTDIR": work, "OUT": f"{work}/out", "TERM": "dumb", "LINES_FILE": f"{work}/lines",
                       "SCRIPT": ""}
        with open(f"{work}/lines", "w") as f:
            f.writelines(line + "\n" for line in lines)
        if script is not None:
            environment["SCRIPT"] = f"{work}/{'_skipc' if shell == 'zsh' else 'skipc'}"
            with open(environment["SCRIPT"], "w") as f:
                f.write(script)
        options = {"cwd": folder, "env": environment}
        if shell == "zsh":
            with open(f"{work}/.zshrc", "w") as f:
                f.write(ZSH)
            shown = in_terminal(["zsh", "-d", "-i"], **options)
            with open(f"{work}/out", "a+") as f:
                f.seek(0)
                text = f.read()
        else:
            command = ["bash", "-c", BASH] if shell == "bash" else ["fish", *(["--no-config"] if script is not None else []), "-c", FISH]
            done = subprocess.run(command, capture_output=True, text=True, **options)
            text, shown = done.stdout, done.stdout + done.stderr
    found, at = {line: set() for line in lines}, None
    for line in text.splitlines():
        if line.startswith("line "):
            at = found[line[len("line "):]]
        elif line:
            at.add(line.split("\t")[0].rstrip("/"))
    return found, shown


def missing(shell):
    """Null: it is here. Else why not, and whether it could be installed."""
    if shutil.which(shell):
        return None
    policy = subprocess.run(["apt-cache", "policy", shell], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}) if shutil.which("apt-cache") else None
    there = policy is not None and "Candidate: " in policy.stdout and "Candidate: (none)" not in policy.stdout
    return f"{shell} is not installed", there
