-- NAME: a policy. Who is on its list is let in by day; who is not, others decide about.
--   sotto test NAME.lua                         runs its specs
--   sotto scripts load NAME.lua                 keeps it, also after the core's next start
local sotto = require "sotto"

local policy = sotto.script {
  name = "NAME", version = "0.1", api = 1, help = "lets people in who are on its list",
  needs = { "proposals", "store" },
}

policy.store.allowed = policy.store.allowed or {}

policy:command("allow", { args = "<fingerprint>", help = "puts somebody on the list" }, function(_, fingerprint)
  local digits = tostring(fingerprint):gsub("%s", ""):upper()
  if not digits:find("^%x+$") or #digits ~= 40 then return "A fingerprint has 40 digits." end
  policy.store.allowed[digits] = true
  return "done"
end)

policy:command("forbid", { args = "<fingerprint>", help = "takes somebody off the list" }, function(_, fingerprint)
  policy.store.allowed[tostring(fingerprint):gsub("%s", ""):upper()] = nil
  return "done"
end)

-- consent, refuse, later, or nil: no opinion, and then the next policy is asked, and at last the person
policy:admission(sotto.all_of(
  sotto.listed(function() return policy.store.allowed end),
  sotto.within("8-22")))
