/** `ctl completion`: what a shell has to read once to complete the words of `ctl`. */

import { Argument, Command } from "commander";
import type { Invocation } from "../invocation.ts";
import type { Entry } from "./entry.ts";

/** Each asks `ctl complete` with the words up to the cursor; where that has no answer, files are offered. */
const SCRIPTS = {
  // Its own words end at = and : too, where ours go on: it is given what follows the last of them.
  bash: `_ctl() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} words last
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  last=\${words[\${#words[@]}-1]}
  IFS=$'\\n'
  COMPREPLY=($("\${words[0]}" complete "\${words[@]:1}" 2>/dev/null))
  local breaks=\${COMP_WORDBREAKS//[^=:]}
  [[ $breaks ]] && COMPREPLY=("\${COMPREPLY[@]#"\${last%"\${last##*[$breaks]}"}"}")
  [[ \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
}
complete -o default -F _ctl ctl
`,
  zsh: `#compdef ctl
_ctl() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if [[ \${found[1]} == *: ]]; then compadd -S '' -a found
  elif (( \${#found} )); then compadd -a found; else _files; fi
}
if [[ "\${funcstack[1]}" == _ctl ]]; then _ctl "$@"; else compdef _ctl ctl; fi
`,
  fish: `function __ctl_words
  set -l line (commandline -opc)
  set -l found ($line[1] complete $line[2..-1] (commandline -ct) 2>/dev/null)
  if set -q found[1]; printf '%s\\n' $found; else; __fish_complete_path (commandline -ct); end
end
complete -c ctl -f -a '(__ctl_words)'
`,
};

const EXAMPLES = `
Examples:
  ctl completion bash > /etc/bash_completion.d/ctl       or in ~/.bashrc: source <(ctl completion bash)
  ctl completion zsh > "\${fpath[1]}/_ctl"                or in ~/.zshrc, after compinit: source <(ctl completion zsh)
  ctl completion fish > ~/.config/fish/completions/ctl.fish

Containers, nodes and contexts are completed too, from the server that the line names; a server that does not answer
within a second is left alone.`;

export function completionCommand(invocation: Invocation): Entry {
  const command = new Command("completion")
    .description("Print what makes a shell complete the words of ctl.")
    .addArgument(new Argument("<shell>", "which one").choices(Object.keys(SCRIPTS)))
    .addHelpText("after", EXAMPLES);
  return { command, work: (shell: keyof typeof SCRIPTS) => completion(invocation, shell) };
}

async function completion({ stdout }: Invocation, shell: keyof typeof SCRIPTS): Promise<number> {
  await stdout.write(SCRIPTS[shell]);
  return 0;
}
