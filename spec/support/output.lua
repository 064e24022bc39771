-- busted output handler: a line for each file, failures in full, and last "N passed, N failed".
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local verbose = options.verbose
  local started, count = os.time(), 0

  local function where(element)
    local info = element.trace or {}
    return (info.short_src or "?") .. ":" .. tostring(info.currentline or "?")
  end

  local function tell(kind, report)
    print(("%s: %s"):format(kind, handler.getFullName(report.element or report) or report.name or "?"))
    print("  at " .. where(report.element or report))
    local message = report.message
    if type(message) == "table" then message = message.message or require "pl.pretty".write(message) end
    print("  " .. tostring(message):gsub("\n", "\n  "))
    if report.trace and report.trace.traceback and (verbose or kind == "ERROR") then
      print("  " .. report.trace.traceback:gsub("\n", "\n  "))
    end
    io.stdout:flush()
  end

  handler.testEnd = function(element, _, status)
    count = count + 1
    if verbose then print(("  %-8s %s"):format(status, handler.getFullName(element))) end
    return nil, true
  end
  handler.fileStart = function(file)
    count = 0
    if verbose then print(file.name) end
    return nil, true
  end
  handler.fileEnd = function(file)
    print(("%-60s %d"):format(file.name, count))
    io.stdout:flush()
    return nil, true
  end
  handler.suiteEnd = function()
    for _, report in ipairs(handler.failures) do tell("FAILURE", report) end
    for _, report in ipairs(handler.errors) do tell("ERROR", report) end
    for _, report in ipairs(handler.pendings) do tell("PENDING", report) end
    print(("%d s"):format(os.time() - started))
    -- a spec that waits to be written has not passed
    print(("%d passed, %d failed"):format(handler.successesCount,
      handler.failuresCount + handler.errorsCount + handler.pendingsCount))
    io.stdout:flush()
    return nil, true
  end

  busted.subscribe({ "test", "end" }, handler.testEnd, { predicate = handler.cancelOnPending })
  busted.subscribe({ "file", "start" }, handler.fileStart)
  busted.subscribe({ "file", "end" }, handler.fileEnd)
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  return handler
end
