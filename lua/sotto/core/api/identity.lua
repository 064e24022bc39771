-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  text = "your own key",
  methods = {
    {
      name = "show",
      text = "Shows the own identity.",
      params = {},
      result = "the identity; its fingerprint is null before create",
      returns = "identity", since = 1, capability = "base", errors = {},
    },
    {
      name = "create",
      text = "Makes the own key (ed25519 and cv25519). Answers when it is usable.",
      params = {
        {
          name = "name", type = "string", required = true, least = 1, most = 32,
          text = "what others see; up to 32 bytes",
        },
        {
          name = "passphrase", type = "secret", least = 1,
          text = "protects the key on disk; asked for at every start",
        },
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity", errors = { "wrong_state", "crypto", "io" },
    },
    {
      name = "unlock",
      text = "Opens the own key with its passphrase.",
      params = {
        { name = "passphrase", type = "secret", required = true, least = 1, text = "of the own key" },
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity",
      errors = { "not_found", "refused", "wrong_state" },
    },
    {
      name = "lock",
      text = "Forgets the passphrase: what needs the key fails with locked until unlock.",
      params = {},
      result = "the identity",
      returns = "identity", since = 1, capability = "identity", errors = { "not_found", "wrong_state" },
    },
    {
      name = "passphrase",
      text = "Changes the passphrase of the own key.",
      params = {
        { name = "old", type = "secret", least = 1, text = "the present one; left out where there is none" },
        { name = "new", type = "secret", required = true, least = 1, text = "the new one" },
      },
      result = "the identity",
      returns = "identity", since = 1, capability = "identity",
      errors = { "not_found", "refused", "locked", "wrong_state" },
    },
  },
  events = {
    {
      type = "passphrase.needed", noun = "identity", since = 1,
      text = "The own key is locked, and something waits for it.",
    },
  },
}
