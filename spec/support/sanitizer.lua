-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether the build under test has a sanitizer in it (make asan). It takes memory and time of its own, and locks no memory: what
-- measures those is for the other builds.
local file = assert(io.open("/proc/self/maps", "r"))
local maps = file:read "a"
file:close()
return maps:find("libasan", 1, true) ~= nil
