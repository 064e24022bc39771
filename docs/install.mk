# Installing: programs with their Lua, man pages, bash's completion, a unit of systemd. Included by the Makefile.

PACKAGES_INSTALL = scdoc

# where `make install` puts things; DESTDIR stands before all of it
DESTDIR   ?=
PREFIX    ?= /usr/local
BINDIR     = $(PREFIX)/bin
DATADIR    = $(PREFIX)/share/sotto
DOCDIR     = $(PREFIX)/share/doc/sotto
MANDIR     = $(PREFIX)/share/man
BASHDIR    = $(PREFIX)/share/bash-completion/completions
UNITDIR    = $(PREFIX)/lib/systemd/user
LUACDIR    = $(PREFIX)/lib/lua/5.4
MAN_PAGES  = $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(wildcard docs/man/*.scd)) $(BUILD)/man/sotto-api.7 $(BUILD)/man/sotto-config.5

.PHONY: docs install uninstall deps-install

deps-install: deps
	$(call install_missing,$(PACKAGES_INSTALL))

docs: $(MAN_PAGES) $(BUILD)/sotto.bash $(BUILD)/sottod.service

REFERENCE = BUILD=$(BUILD) $(LUA) docs/reference.lua

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@

$(BUILD)/man/sotto-api.7: docs/reference.lua $(wildcard lua/sotto/core/api/*.lua) | $(BUILD)/sotto.so
	@mkdir -p $(@D)
	$(REFERENCE) api man | scdoc >$@

$(BUILD)/man/sotto-config.5: docs/reference.lua lua/sotto/core/config.lua $(BUILD)/sotto.so
	@mkdir -p $(@D)
	$(REFERENCE) config man | scdoc >$@

$(BUILD)/sotto.bash: $(BUILD)/sotto $(wildcard lua/sotto/core/api/*.lua lua/sotto/client/*.lua)
	$(BUILD)/sotto completion bash >$@

$(BUILD)/sottod.service: docs/systemd/sottod.service.in Makefile
	@mkdir -p $(@D)
	sed 's|@BINDIR@|$(BINDIR)|' $< >$@

install: deps-install
	@$(MAKE) --no-print-directory -s all docs
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(DATADIR) $(DOCDIR) $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7 $(BASHDIR) $(UNITDIR) $(LUACDIR))
	install -m 755 $(PROGRAMS) $(DESTDIR)$(BINDIR)
	install -m 755 $(BUILD)/sotto.so $(DESTDIR)$(LUACDIR)
	rm -rf $(DESTDIR)$(DATADIR)/*
	find lua $(wildcard plugins) -name '*.lua' -exec install -D -m 644 {} $(DESTDIR)$(DATADIR)/{} ';'
	install -m 644 README.md ARCHITECTURE.md LICENSE $(wildcard docs/*.md) $(DESTDIR)$(DOCDIR)
	find examples -type f -exec install -D -m 644 {} $(DESTDIR)$(DOCDIR)/{} ';'
	for page in $(MAN_PAGES); do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}; done
	install -m 644 $(BUILD)/sotto.bash $(DESTDIR)$(BASHDIR)/sotto
	install -m 644 $(BUILD)/sottod.service $(DESTDIR)$(UNITDIR)

# homes are the users' own, and stay
uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(notdir $(PROGRAMS))) $(DESTDIR)$(LUACDIR)/sotto.so
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)
	for page in $(notdir $(MAN_PAGES)); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	rm -f $(DESTDIR)$(BASHDIR)/sotto $(DESTDIR)$(UNITDIR)/sottod.service
