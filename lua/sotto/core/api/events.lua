-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  text = "what happens",
  methods = {
    {
      name = "subscribe",
      text = "Turns on event notifications on this connection; again: with other filters.",
      params = {
        {
          name = "types", type = "strings", least = 1, most = 64,
          text = "\"message.received\" or \"message.*\"; left out: all",
        },
        { name = "after", type = "integer", least = 0, text = "also those of the past 4096 with a greater seq" },
        {
          name = "batch", type = "boolean", standard = false,
          text = "messages that arrive together come as one event",
        },
      },
      result = "seq, of the latest event so far",
      returns = "object", since = 1, capability = "base", errors = { "too_large" },
    },
    {
      name = "unsubscribe",
      text = "Turns them off.",
      params = {},
      result = "nothing",
      returns = "nothing", since = 1, capability = "base", errors = {},
    },
  },
  events = {
    {
      type = "events.lagged", noun = "events", since = 1,
      text = "This connection did not read fast enough: some events were dropped; those after resume_after follow.",
    },
  },
}
