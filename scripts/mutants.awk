# SPDX-License-Identifier: MIT
# Reads a list of mutants. Variables: name, what (names, about, file, why: printed; apply: the mutated file), root.
# A block of the list, with an empty line after it:
#	name
#	what it does, in one line
#	file
#	-lines as they are, whole and adjoining ...
#	+... and as they become
#	@n	the nth place where they stand; without it there must be one
#	?why it survives

function block_end() {
	if (at == 0)
		return
	if (what == "names")
		print id
	if (id == name) {
		found = 1
		if (what == "about")
			print about
		if (what == "file")
			print file
		if (what == "why" && why != "")
			print why
		if (what == "apply")
			apply()
	}
	at = 0
}

function matches(i, k) {
	for (k = 1; k <= olds; k++)
		if (line[i + k - 1] != old[k])
			return 0
	return 1
}

function apply(n, i, k, places, where) {
	while ((getline line[n + 1] < (root "/" file)) > 0)
		n++
	if (n == 0)
		fail(root "/" file ": cannot be read")
	for (i = 1; i + olds - 1 <= n; i++)
		if (matches(i) && ++places == (nth ? nth : 1))
			where = i
	if (!where || (!nth && places != 1))
		fail(name ": its lines stand " (places + 0) " times in " file)
	for (i = 1; i <= n; i++) {
		if (i == where) {
			for (k = 1; k <= news; k++)
				print new[k]
			i += olds - 1
		} else {
			print line[i]
		}
	}
}

function fail(message) {
	print "mutants: " message > "/dev/stderr"
	failed = 1
	exit 1
}

/^#/ { next }
/^$/ { block_end(); next }
at == 0 { id = $0; at = 1; olds = news = nth = 0; why = ""; next }
at == 1 { about = $0; at = 2; next }
at == 2 { file = $0; at = 3; next }
/^-/ { old[++olds] = substr($0, 2); next }
/^\+/ { new[++news] = substr($0, 2); next }
/^@/ { nth = substr($0, 2) + 0; next }
/^\?/ { why = substr($0, 2); next }
{ fail(FILENAME ":" FNR ": expected -, +, @ or ?") }
END {
	if (failed)
		exit 1
	block_end()
	if (name != "" && !found)
		fail("no mutant '" name "'")
	if (failed)
		exit 1
}
