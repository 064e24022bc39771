-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto completion bash`: what a shell needs to complete commands, nouns, verbs and parameters, made from the API
-- table; and `sotto completion peers`, `… discussions`: the words that only a core knows.
local api = require "sotto.core.api"
local core = require "sotto.client.core"
local help = require "sotto.client.help"
local names = require "sotto.client.names"

local M = {}

-- The script reads four tables: verbs of a noun, parameters of a method, what stands for a value of
-- "noun verb --parameter", and of the next place of a method.
local HEAD = [[
# bash completion of sotto, made from its API table by `sotto completion bash`

declare -gA _sotto_verbs _sotto_params _sotto_values
]]

local BODY = [==[

# the words that a kind of value may be; peers and discussions are asked of a running core
_sotto_value() {
	case $1 in
	peers | discussions)
		local known=$("${COMP_WORDS[0]}" "${home[@]}" completion "$1" 2>/dev/null)
		COMPREPLY=($(compgen -W "$known" -- "$cur"))
		;;
	path) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
	directory) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
	?*) COMPREPLY=($(compgen -W "${1//,/ }" -- "$cur")) ;;
	esac
}

_sotto() {
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} home=() i=1 word
	COMPREPLY=()
	while ((i < COMP_CWORD)); do
		word=${COMP_WORDS[i]}
		case $word in
		--home) home=(--home "${COMP_WORDS[i + 1]}"); ((i += 2)) ;;
		-*) ((i++)) ;;
		*) break ;;
		esac
	done
	if [[ $previous == --home && $i -gt $COMP_CWORD ]]; then
		_sotto_value directory
	elif ((i >= COMP_CWORD)); then
		COMPREPLY=($(compgen -W "$_sotto_options $_sotto_commands ${!_sotto_verbs[*]}" -- "$cur"))
	elif [[ ${COMP_WORDS[i]} == help ]]; then
		COMPREPLY=($(compgen -W "${!_sotto_verbs[*]} events" -- "$cur"))
	elif [[ ${COMP_WORDS[i]} == events ]]; then
		COMPREPLY=($(compgen -W "$_sotto_events" -- "$cur"))
	elif [[ ${COMP_WORDS[i]} == call ]]; then
		((COMP_CWORD == i + 1)) && COMPREPLY=($(compgen -W "${!_sotto_params[*]}" -- "$cur"))
	elif [[ -n ${_sotto_verbs[${COMP_WORDS[i]}]} ]]; then
		local method=${COMP_WORDS[i]}.${COMP_WORDS[i + 1]}
		if ((COMP_CWORD == i + 1)); then
			COMPREPLY=($(compgen -W "${_sotto_verbs[${COMP_WORDS[i]}]}" -- "$cur"))
		elif [[ $previous == --* && -n ${_sotto_values[$method$previous]} ]]; then
			_sotto_value "${_sotto_values[$method$previous]}"
		elif [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "${_sotto_params[$method]} --json --help" -- "$cur"))
		elif ((COMP_CWORD == i + 2)); then
			_sotto_value "${_sotto_values[$method]}"
		fi
	elif [[ ${COMP_WORDS[i]} == new ]]; then
		((COMP_CWORD == i + 1)) && COMPREPLY=($(compgen -W "bot plugin policy" -- "$cur"))
	elif [[ ${COMP_WORDS[i]} == run || ${COMP_WORDS[i]} == test ]]; then
		if [[ ${COMP_WORDS[i]} == run && $previous == --discussion ]]; then
			_sotto_value discussions
		elif [[ ${COMP_WORDS[i]} == run && $cur == -* ]]; then
			COMPREPLY=($(compgen -W "--grant --watch --inherit --discussion" -- "$cur"))
		else
			_sotto_value path
		fi
	elif [[ ${COMP_WORDS[i]} == completion ]]; then
		COMPREPLY=($(compgen -W "bash" -- "$cur"))
	else
		compopt -o default 2>/dev/null
	fi
}

complete -F _sotto sotto
]==]

-- what completes a parameter's value; nothing where a person must write
local function kind_of(param)
  if param.type == "peer" then return "peers" end
  if param.type == "discussion" then return "discussions" end
  if param.type == "path" then return "path" end
  if param.type == "boolean" then return "true,false" end
  if param.type == "enum" then return table.concat(param.values, ",") end
  if param.type == "secret" then return "-" end
end

local function entry(lines, table_name, key, value)
  lines[#lines + 1] = ("%s[%s]='%s'"):format(table_name, key, value)
end

local function describe_method(lines, method)
  local params = {}
  for i, param in ipairs(method.params) do
    local kind = kind_of(param)
    params[i] = "--" .. param.name
    if kind then entry(lines, "_sotto_values", method.name .. "--" .. param.name, kind) end
    if kind and i == 1 and param.type ~= "secret" then entry(lines, "_sotto_values", method.name, kind) end
  end
  entry(lines, "_sotto_params", method.name, table.concat(params, " "))
end

--- The script for bash.
---@param commands string[] those beside the nouns
---@return string
function M.bash(commands)
  local lines = {}
  for _, noun in ipairs(api.nouns) do
    local verbs = {}
    for i, method in ipairs(noun.methods) do verbs[i] = method.verb end
    -- a subscription would end with the command that made it
    if noun.name ~= "events" then entry(lines, "_sotto_verbs", noun.name, table.concat(verbs, " ")) end
    for _, method in ipairs(noun.methods) do describe_method(lines, method) end
  end
  local events = {}
  for i, event in ipairs(api.events) do events[i] = event.type end
  lines[#lines + 1] = ("_sotto_commands='%s'"):format(table.concat(commands, " "))
  lines[#lines + 1] = "_sotto_options='--home --json --help --version'"
  lines[#lines + 1] = ("_sotto_events='%s'"):format(table.concat(events, " "))
  return HEAD .. table.concat(lines, "\n") .. "\n" .. BODY
end

-- What others call themselves reaches a shell: only names of harmless signs, and only those that one peer has.
local function peer_words(there)
  local words, count = {}, {}
  local list = there:call("peers.list") or {}
  for _, peer in ipairs(list) do count[peer.name] = (count[peer.name] or 0) + 1 end
  for i, peer in ipairs(list) do
    local plain = peer.name:find("^[%w_.][%w_.-]*$") and count[peer.name] == 1
    words[i] = plain and peer.name or peer.fingerprint:sub(1, 16)
  end
  return words
end

local function discussion_words(there)
  local words = {}
  for _, discussion in ipairs(there:call("discussions.list") or {}) do
    if not names.has_ended(discussion) then words[#words + 1] = discussion.id:sub(1, 16) end
  end
  return words
end

local ASKED = { peers = peer_words, discussions = discussion_words }

--- `sotto completion bash|peers|discussions`
---@param place sotto.place
---@param words string[]
---@param commands string[]
---@return integer status
function M.completion(place, words, commands)
  if words[2] or not (words[1] == "bash" or ASKED[words[1]]) then return help.usage("completion takes 'bash'") end
  if words[1] == "bash" then
    io.stdout:write(M.bash(commands))
    return 0
  end
  local there = core.connect(place, false)
  for _, word in ipairs(there and ASKED[words[1]](there) or {}) do io.stdout:write(word, "\n") end
  return 0
end

return M
