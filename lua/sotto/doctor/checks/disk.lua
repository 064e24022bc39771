-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.doctor.files"
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- A message of the longest kind takes about 0.2 MB until it is delivered, a discussion's keys 0.1 MB.
local LOW, EXHAUSTED = 64 << 20, 4 << 20
local FILES_LOW, FILES_EXHAUSTED = 1000, 50

return {
  name = "disk", where = "anywhere",
  text = "there is room on the disk",
  look = function(context)
    local place = files.nearest(context.paths.data)
    local disk, message = sys.disk(place)
    if not disk then
      return finding.fail(finding.sentence(message), "Look at the disk: 'df' and 'dmesg' may say more.")
    end
    local trouble = context.facts and context.facts.troubles.store
    local free = ("%s are free on the disk of %s"):format(finding.size(disk.free), place)
    if trouble then
      return finding.fail(("The store cannot be written: %s; %s."):format(trouble.text, free),
        "Make room, or make it writable: what waits then goes on by itself.")
    end
    local counted = disk.files > 0
    if counted and disk.files_free < FILES_LOW then
      local text = ("There is room for %d more files on the disk of %s."):format(disk.files_free, place)
      return finding[disk.files_free < FILES_EXHAUSTED and "fail" or "warn"](text,
        "Remove files, many small ones best: each discussion needs some 20.")
    end
    if disk.free < EXHAUSTED then
      return finding.fail(("The disk is full: %s."):format(free),
        "Make room: until then nothing is sent, received or kept. Nothing is lost either.")
    elseif disk.free < LOW then
      return finding.warn(("The disk is nearly full: %s."):format(free),
        "Make room: on a full disk nothing is sent, received or kept.")
    end
    return finding.ok(free .. ".")
  end,
}
