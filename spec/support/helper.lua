-- Loaded by busted before the specs: a fixed locale and time zone, and nothing of the user's own GnuPG within reach.
local env = os.getenv
if env("GNUPGHOME") then error("unset GNUPGHOME before the specs: they make homes of their own") end
