# What a user types besides `make`.

# Installs what is missing (as root), or says the one command that does.
deps: ; @bash make/deps.sh $(DEBIAN_PACKAGES)

clean: ; rm -rf $(BUILD)
.PHONY: deps clean
