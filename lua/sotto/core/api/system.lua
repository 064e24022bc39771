-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  text = "the core itself",
  methods = {
    {
      name = "info",
      text = "Says what this core is and where it listens.",
      params = {},
      result = "version, api, pid, uptime, home, fingerprint, locked, listen (tcp and udp), addresses: where others " ..
        "may reach it, and discover: port and paths of the LAN (interface, to, listening), null where it is off",
      returns = "info", since = 1, capability = "base", errors = {},
    },
    {
      name = "methods",
      text = "Gives this whole table: methods with typed parameters and results, and events.",
      params = {},
      result = "api, nouns, methods and events",
      returns = "object", since = 1, capability = "base", errors = {},
    },
    {
      name = "metrics",
      text = "Counts what was done, and what was dropped and why; and how long the turns of the core's loop took.",
      params = {},
      result = "text in Prometheus' format",
      returns = "object", since = 1, capability = "system", errors = {},
    },
    {
      name = "doctor",
      text = "Looks for what is broken, and says what to do about it.",
      params = {
        { name = "command", type = "string", least = 1, most = 4096,
          text = "what a person types for the front end, for the advice; standard: its path" },
      },
      result = "a list of findings, in the order of the checks: check, status (ok, warn, fail, skip), text and advice",
      returns = "finding[]", since = 1, capability = "system", errors = {},
    },
    {
      name = "password",
      text = "Makes a password of random words, to be told on the telephone.",
      params = {
        { name = "words", type = "integer", least = 4, most = 16, standard = 4, text = "how many words" },
      },
      result = "the password",
      returns = "object", since = 1, capability = "base", errors = {},
    },
    {
      name = "stop",
      text = "Ends the core in good order. Discussions stay, and go on at its next start.",
      params = {},
      result = "nothing; the connection then ends",
      returns = "nothing", since = 1, capability = "system", errors = {},
    },
  },
  events = {
    {
      type = "warning", noun = "warning", since = 1,
      text = "Something that a person should know: a weak password, a clock that is off, a disk that is full.",
    },
  },
}
