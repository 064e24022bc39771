-- SPDX-License-Identifier: GPL-3.0-or-later
local doctor = require "sotto.client.doctor"

return {
  name = "doctor", args = "[all]", help = "what is broken, and what to do about it",
  more = "/doctor all shows what is in order, too.",
  complete = function() return { "all" } end,
  run = function(chat, text)
    if text ~= "" and text ~= "all" then error("/doctor takes 'all' or nothing", 0) end
    local findings = doctor.examine(chat.place)
    for _, line in ipairs(doctor.report(findings, text == "all")) do chat:print(line, doctor.INDENT) end
  end,
}
