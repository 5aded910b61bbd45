# SPDX-License-Identifier: MIT
# Inlines includes. Variables: root (of the repository), keep (1: <coppice/...> is dropped, because coppice.h has it),
# headers (whose static names are taken, separated by blanks).
# Arguments: files, in order; each file appears once. Names that are static in more than one of them get the file's name
# attached, members of structures of the same name left alone.

function directory(path) {
	sub(/[^\/]*$/, "", path)
	return path
}

function exists(path, line, ok) {
	ok = (getline line < path) >= 0
	close(path)
	return ok
}

function resolve(name, from) {
	if (exists(root "/" directory(from) name))
		return directory(from) name
	return name
}

# Names that a line of a file defines static; "" for none.
function static_name(line) {
	if (line !~ /^static /)
		return ""
	sub(/[[:space:]]*(\(|\[|=|;).*$/, "", line)
	if (!match(line, /[A-Za-z_][A-Za-z0-9_]*$/))
		return ""
	return substr(line, RSTART)
}

function count_statics(path, line, name, mine) {
	while ((getline line < (root "/" path)) > 0) {
		name = static_name(line)
		if (name != "" && !(name in mine)) {
			mine[name] = 1
			defined[name]++
		}
	}
	close(root "/" path)
}

# Replaces the token where it is no member.
function rename(line, name, by, out, before) {
	out = ""
	while (match(line, "(^|[^A-Za-z0-9_])" name "([^A-Za-z0-9_]|$)")) {
		if (substr(line, RSTART, length(name)) == name && RSTART == 1)
			RSTART = 0
		before = RSTART ? substr(line, RSTART, 1) : ""
		out = out substr(line, 1, RSTART) (before == "." || before == ">" ? name : by)
		line = substr(line, RSTART + 1 + length(name))
	}
	return out line
}

function emit(path, line, name, names, i, count, suffix, target) {
	if (path in seen)
		return
	seen[path] = 1
	count = 0
	if (path ~ /\.c$/) {
		suffix = path
		gsub(/[^A-Za-z0-9]/, "_", suffix)
		while ((getline line < (root "/" path)) > 0) {
			name = static_name(line)
			if (name != "" && defined[name] > 1)
				names[++count] = name
		}
		close(root "/" path)
	}
	printf "\n/* ---- %s ---- */\n", path
	while ((getline line < (root "/" path)) > 0) {
		if (line ~ /^[[:space:]]*#[[:space:]]*include[[:space:]]*"/) {
			target = line
			sub(/^[^"]*"/, "", target)
			sub(/".*$/, "", target)
			emit(resolve(target, path))
			continue
		}
		if (line ~ /^#[[:space:]]*include[[:space:]]*<coppice\//) {
			target = line
			sub(/^[^<]*</, "", target)
			sub(/>.*$/, "", target)
			if (!keep)
				emit("include/" target)
			continue
		}
		if (line ~ /SPDX-License-Identifier/)
			continue
		for (i = 1; i <= count; i++)
			line = rename(line, names[i], names[i] "__" suffix)
		print line
	}
	close(root "/" path)
}

BEGIN {
	headers_count = split(headers, header, " ")
	for (n = 1; n <= headers_count; n++)
		count_statics(header[n])
	for (n = 1; n < ARGC; n++)
		if (ARGV[n] ~ /\.c$/)
			count_statics(ARGV[n])
	for (n = 1; n < ARGC; n++)
		emit(ARGV[n])
}
