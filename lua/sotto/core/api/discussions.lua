-- SPDX-License-Identifier: GPL-3.0-or-later
local references = require "sotto.core.references"

return {
  text = "conversations",
  methods = {
    {
      name = "open",
      text = "Asks a peer for a discussion. Answers at once; the outcome is an event.",
      params = {
        references.peer,
        {
          name = "password", type = "secret", least = 1,
          text = "the one both of you have agreed on; left out for a peer that is verified already",
        },
      },
      result = "the discussion, in the state requesting",
      returns = "discussion", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state", "refused", "locked", "busy" },
    },
    {
      name = "accept",
      text = "Accepts a request. Answers when the decision is recorded; the outcome is an event.",
      params = {
        references.discussion,
        {
          name = "password", type = "secret", least = 1,
          text = "the one both of you have agreed on; none for an invitation into a discussion of others",
        },
      },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state", "refused", "locked" },
    },
    {
      name = "refuse",
      text = "Refuses a request, or declines an invitation.",
      params = {
        references.discussion,
        {
          name = "reason", type = "string", most = 256,
          text = "told to who has invited you; of a request nothing is told",
        },
      },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state" },
    },
    {
      name = "list",
      text = "Lists the discussions, ended ones too.",
      params = {},
      result = "discussions",
      returns = "discussion[]", since = 1, capability = "discussions", errors = {},
    },
    {
      name = "show",
      text = "Shows one discussion with its members.",
      params = { references.discussion },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "discussions", errors = { "not_found", "ambiguous" },
    },
    {
      name = "close",
      text = "Ends a discussion of two for both, and destroys its keys.",
      params = { references.discussion },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state", "locked" },
    },
    {
      name = "leave",
      text = "Leaves a discussion; with two members that closes it.",
      params = { references.discussion },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "busy" },
    },
    {
      name = "forget",
      text = "Erases an ended discussion and all its messages.",
      params = { references.discussion },
      result = "nothing",
      returns = "nothing", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state" },
    },
    {
      name = "export",
      text = "Writes sealed messages, session keys and certificates, so that stock gpg can check who said what.",
      params = {
        references.discussion,
        { name = "path", type = "path", required = true, text = "a directory to make" },
      },
      result = "path, messages and sealed: how many were written",
      returns = "object", since = 1, capability = "discussions",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "io" },
    },
  },
  events = {
    { type = "discussion.requested", noun = "discussion", since = 1, text = "A peer asks for a discussion." },
    { type = "discussion.opened", noun = "discussion", since = 1, text = "A discussion is open." },
    { type = "discussion.suspended", noun = "discussion", since = 1, text = "No member can be reached." },
    { type = "discussion.resumed", noun = "discussion", since = 1, text = "A member can be reached again." },
    {
      type = "discussion.frozen", noun = "discussion", since = 1,
      text = "A member is proven to have signed two things that exclude each other: nothing is sent any more.",
    },
    { type = "discussion.closed", noun = "discussion", since = 1, text = "A discussion ended; reason says why." },
    {
      type = "epoch.changed", noun = "discussion", since = 1,
      text = "The members of a discussion, or its charter, are others from now on.",
    },
    {
      type = "discussion.read", noun = "discussion", since = 1,
      text = "Messages were marked as read; unread says how many are left.",
    },
    {
      type = "discussion.refused", noun = "discussion", since = 1,
      text = "A request came to nothing; reason says why.",
    },
  },
}
