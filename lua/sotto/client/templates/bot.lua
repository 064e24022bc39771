-- NAME: a bot.
--   sotto test NAME.lua                         runs its specs
--   sotto run --watch NAME.lua                  runs it here, and again whenever this file changes
--   sotto scripts load NAME.lua                 keeps it, also after the core's next start
local sotto = require "sotto"

local bot = sotto.bot {
  name = "NAME", version = "0.1", api = 1, help = "says hello",
  needs = { "messages" },
}

-- what is said to it: f(ctx, captures of the pattern …); a returned text is the reply
bot:respond("hello", { anycase = true, help = "hello - says hello" }, function(ctx)
  return ("Hello, %s!"):format(ctx.name)
end)

-- !add 2 3: arguments have types, and !help tells of them
bot:command("add", { args = "<a:number> <b:number>", help = "adds two numbers" }, function(_, a, b)
  return ("%g"):format(a + b)
end)

bot.log("NAME is here")
