# Completion for llama-generate, llama-measure, llama-compile and llama-weights:
# flags and their values are read out of what the tool prints for --help.

_llama_tool() {
  local tool=${COMP_WORDS[0]} line=${COMP_LINE:0:COMP_POINT}
  local word=${line##*[[:space:]]}
  local subcommand=()
  [[ ${COMP_WORDS[1]} == [a-z]* && $COMP_CWORD -gt 1 ]] && subcommand=("${COMP_WORDS[1]}")
  local help
  help=$("$tool" "${subcommand[@]}" --help 2>/dev/null) || help=$("$tool" --help 2>/dev/null) || return

  COMPREPLY=()
  if [[ $word == --*=* ]]; then
    # Of what a flag takes: {a,b} after it, or lines that begin with =a below.
    local flag=${word%%=*} values
    values=$(awk -v flag="$flag" '
      $1 == flag || index($1, flag "=") == 1 {
        if (match($0, /\{[^}]*\}/)) {
          list = substr($0, RSTART + 1, RLENGTH - 2); gsub(",", "\n", list); print list }
        inside = 1; next }
      inside && $1 ~ /^=[^<]/ { print substr($1, 2); next }
      { inside = 0 }' <<<"$help")
    [[ -n $values ]] && mapfile -t COMPREPLY < <(compgen -W "$values" -- "${word#*=}")
    [[ -z $values ]] && mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}")
  elif [[ $word == -* ]]; then
    local flags
    flags=$(grep -oE '(^|[ ,])--[a-z][a-z0-9-]*' <<<"$help" | tr -d ' ,' | sort -u)
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    if [[ $COMP_CWORD -eq 1 ]]; then
      local names
      names=$(awk '/^(Subcommands|SUBCOMMANDS):/ { inside = 1; next } inside && /^[A-Z]/ { inside = 0 }
        inside && $1 ~ /^[a-z]+$/ { print $1 }' <<<"$help")
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$names" -- "$word")
    fi
  fi
}
complete -o filenames -o bashdefault -F _llama_tool llama-generate llama-measure llama-compile llama-weights
