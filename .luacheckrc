std = "lua54"
max_line_length = 120
-- rows of tables
files["spec"] = { std = "lua54+busted", max_line_length = 140 }
-- what the chat has for it
files["examples/chat.lua"] = { globals = { "chat" }, read_globals = { "sotto", "peers", "discussions", "me" } }
