-- SPDX-License-Identifier: GPL-3.0-or-later
local references = require "sotto.core.references"

local limit = { name = "limit", type = "integer", least = 1, most = 1000, standard = 100, text = "how many at most" }

return {
  text = "what was said",
  methods = {
    {
      name = "send",
      text = "Sends one text, or several. Answers when they are on disk.",
      params = {
        references.discussion,
        { name = "text", type = "string", least = 1, most = 65536, text = "1 to 65,536 bytes of UTF-8" },
        { name = "texts", type = "strings", least = 1, most = 1000, text = "several texts, sent as several messages" },
      },
      one_of = { "text", "texts" },
      result = "the message, or with texts the messages",
      returns = "message", since = 1, capability = "messages",
      errors = { "not_found", "ambiguous", "wrong_state", "too_large", "locked", "busy" },
    },
    {
      name = "list",
      text = "Lists messages, oldest first; without bounds the newest.",
      params = {
        references.discussion,
        { name = "after", type = "message", text = "only later ones than this" },
        { name = "before", type = "message", text = "only earlier ones than this" },
        limit,
      },
      result = "messages",
      returns = "message[]", since = 1, capability = "messages",
      errors = { "not_found", "ambiguous", "wrong_state", "locked" },
    },
    {
      name = "search",
      text = "Finds messages that contain a text, newest last.",
      params = {
        {
          name = "query", type = "string", required = true, least = 1, most = 1024,
          text = "looked for without regard to case",
        },
        { name = "discussion", type = "discussion", text = "only this discussion's" },
        limit,
      },
      result = "messages",
      returns = "message[]", since = 1, capability = "messages",
      errors = { "not_found", "ambiguous", "wrong_state", "locked" },
    },
    {
      name = "read",
      text = "Marks messages as read, up to and with the one that is named.",
      params = {
        references.discussion,
        { name = "message", type = "message", text = "the last one that was read; left out: all" },
      },
      result = "the discussion",
      returns = "discussion", since = 1, capability = "messages", errors = { "not_found", "ambiguous", "locked" },
    },
    {
      name = "release",
      text = "Sends what was held because the audience changed. Answers when it is queued, on disk.",
      params = { references.discussion },
      result = "the messages; none where none were held",
      returns = "message[]", since = 1, capability = "messages",
      errors = { "not_found", "ambiguous", "wrong_state", "locked", "busy" },
    },
    {
      name = "discard",
      text = "Gives up the messages that were held because the audience changed: they stay in the list, as failed.",
      params = { references.discussion },
      result = "the messages; none where none were held",
      returns = "message[]", since = 1, capability = "messages", errors = { "not_found", "ambiguous", "locked" },
    },
  },
  events = {
    { type = "message.received", noun = "message", since = 1, text = "A message arrived and is on disk." },
    { type = "message.sent", noun = "message", since = 1, text = "At least one member's core has it." },
    { type = "message.delivered", noun = "message", since = 1, text = "All other members' stores have it." },
    {
      type = "message.confirmed", noun = "message", since = 1,
      text = "All other members have signed that they have it. Of two members nobody does: delivered says as much.",
    },
    {
      type = "message.complaint", noun = "complaint", since = 1,
      text = "A member cannot open a message of another, as others may: "
        .. "discussion, member, sender, epoch, seq, messages (ids, of what is here), same (it is what is here).",
    },
    {
      type = "message.held", noun = "message", since = 1,
      text = "The members changed before it was sent: it waits for messages.release or messages.discard.",
    },
    {
      type = "message.void", noun = "message", since = 1,
      text = "The members changed, and not all of them can have this message: it was never said.",
    },
    { type = "message.failed", noun = "message", since = 1, text = "A message will not be sent any more." },
  },
}
