-- SPDX-License-Identifier: GPL-3.0-or-later
local script = { name = "name", type = "string", required = true, least = 1, most = 32, text = "the script's name" }

return {
  text = "bots, plugins and policies",
  methods = {
    {
      name = "list",
      text = "Lists the scripts, with what they were granted and how they are.",
      params = {
        {
          name = "health", type = "boolean", standard = true,
          text = "asks those that know for their health, and waits half a second for it",
        },
      },
      result = "scripts",
      returns = "script[]", since = 1, capability = "scripts", errors = {},
    },
    {
      name = "load",
      text = "Loads a script, now and at every start until it is unloaded; answers once its main chunk has run.",
      params = {
        { name = "path", type = "path", required = true, text = "a Lua file, or a folder with main.lua or init.lua" },
        { name = "grant", type = "boolean", standard = false, text = "grants the capabilities that the script names" },
        { name = "discussions", type = "strings", most = 64, text = "ids of the only discussions that it may see" },
        { name = "arguments", type = "strings", most = 64, text = "what the script gets as its arguments" },
        {
          name = "watch", type = "boolean", standard = false, text = "reloads it whenever its files change",
        },
        {
          name = "inherit", type = "boolean", standard = false,
          text = "takes over what a script of that name has stored that was somewhere else",
        },
        {
          name = "temporary", type = "boolean", standard = false,
          text = "ends with the connection that has loaded it, and is not loaded again",
        },
        {
          name = "trial", type = "boolean", standard = false,
          text = "temporary, with a store that ends with it and a clock that stands until scripts.advance: for specs",
        },
      },
      result = "the script",
      returns = "script", since = 1, capability = "scripts",
      errors = { "not_found", "refused", "wrong_state", "too_large", "bad_input", "timeout", "locked" },
    },
    {
      name = "unload",
      text = "Ends a script; what it has stored is kept. One of config.lua comes again with the next core.",
      params = { script },
      result = "nothing",
      returns = "nothing", since = 1, capability = "scripts", errors = { "not_found" },
    },
    {
      name = "erase",
      text = "Erases what a script has stored that is no longer loaded.",
      params = { script },
      result = "nothing",
      returns = "nothing", since = 1, capability = "scripts", errors = { "wrong_state", "locked" },
    },
    {
      name = "reload",
      text = "Reads a script's files again. Where the new text fails, the old one keeps running.",
      params = {
        script,
        { name = "grant", type = "boolean", standard = false, text = "grants what the new text needs beyond the old" },
      },
      result = "the script",
      returns = "script", since = 1, capability = "scripts",
      errors = { "not_found", "refused", "wrong_state", "too_large", "bad_input", "timeout" },
    },
    {
      name = "log",
      text = "Gives the newest lines that a script has printed or logged, and why it failed.",
      params = { script },
      result = "name, and lines with time, level and text",
      returns = "log", since = 1, capability = "scripts", errors = { "not_found" },
    },
    {
      name = "explain",
      text = "Asks every policy about a peer as if they were to be admitted, and does nothing.",
      params = {
        { name = "candidate", type = "peer", required = true, text = "who would be admitted" },
        { name = "discussion", type = "discussion", text = "the discussion they would come to" },
        {
          name = "vouched_by", type = "strings", most = 64,
          text = "fingerprints of members that would have consented already",
        },
      },
      result = "the policies' opinions in the order in which they count, and what follows from them",
      returns = "object", since = 1, capability = "scripts", errors = { "not_found", "ambiguous" },
    },
    {
      name = "command",
      text = "Runs a command of a script.",
      params = {
        script,
        { name = "command", type = "string", required = true, least = 1, most = 32, text = "the command's name" },
        { name = "arguments", type = "strings", most = 64, text = "its arguments" },
      },
      result = "the reply, which may be null",
      returns = "object", since = 1, capability = "scripts",
      errors = { "not_found", "wrong_state", "busy", "timeout", "canceled" },
    },
    {
      name = "advance",
      text = "Lets time pass for a script on trial: its timers come, each with what it does, one after the other.",
      params = {
        script,
        { name = "time", type = "string", required = true, least = 1, most = 32, text = "how much: \"90s\", \"10m\"" },
      },
      result = "nothing, once all of that is done",
      returns = "nothing", since = 1, capability = "scripts",
      errors = { "not_found", "wrong_state", "busy", "canceled" },
    },
  },
  events = {
    {
      type = "script.failed", noun = "script", since = 1,
      text = "A script has failed and rests, or is disabled; or it waits for the user. Its reason says why.",
    },
    {
      type = "script.changed", noun = "script", since = 1,
      text = "A script runs, again or with other commands; or it was unloaded, and its state is \"stopped\".",
    },
    { type = "script.log", noun = "log", since = 1, text = "A script has said a line: name, level, text." },
  },
}
