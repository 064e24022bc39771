std = "lua54"
max_line_length = 120
-- rows of tables
files["spec"] = { std = "lua54+busted", max_line_length = 140 }
-- what the chat has for it
files["examples/chat.lua"] = { globals = { "chat" }, read_globals = { "sotto", "peers", "discussions", "me" } }
-- a script's own specs have these
local script_specs = { read_globals = { "describe", "it", "before_each", "after_each", "person", "command", "advance",
  "world", "you", assert = { other_fields = true } } }
files["**/templates/*_spec.lua"], files["plugins/**/*_spec.lua"] = script_specs, script_specs
files["examples/*_spec.lua"] = script_specs
