-- SPDX-License-Identifier: GPL-3.0-or-later
local ask = require "sotto.doctor.ask"
local files = require "sotto.doctor.files"
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- some 4 ms for a MB
local PATIENCE_MS = 15000

return {
  name = "store", where = "anywhere",
  text = "the store is whole, and of this version",
  look = function(context)
    local path = files.store(context.paths)
    local stat, waits = sys.stat(path), sys.stat(path .. "-wal")
    if not stat then return finding.ok "There is no store yet." end
    local size = finding.size(stat.size + (waits and waits.size or 0))
    local said, message, name = ask.verdict(PATIENCE_MS, context.program, "--check-store", path)
    if said == "whole" then return finding.ok(("The store is whole: %s."):format(size)) end
    if name == "timeout" then
      return finding.skip(("The store holds %s, and could not be read through in %s."):format(size,
        finding.span(PATIENCE_MS / 1000)), ("'%s --check-store %s' takes its time."):format(context.program, path))
    end
    message = (said or message):gsub("^sottod: ", "")
    if message:find "schema" then
      return finding.fail(("The store is of a newer sotto: %s."):format(message),
        "Install that one again, or a newer one.")
    end
    if not context.facts and waits then
      return finding.warn(("The store is damaged, or only waits for what a killed core left: %s."):format(message),
        ("'%s start', then look again."):format(context.command))
    end
    return finding.fail(("The store is damaged: %s."):format(message),
      ("Copy %s to another disk first; then export what can be ('discussions export'), and look at 'dmesg'."):format(
        context.paths.data))
  end,
}
