# Turns iana-ports.tsv into the rows of registry.c.
# Fields: first port, last port, transports, service name, what it is for.
BEGIN { FS = "\t" }

function quoted(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	gsub(/\?\?/, "?\\?", text) # no trigraphs
	return "\"" text "\""
}

NR == 1 {
	if (!match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/)) {
		print "iana-ports.tsv: no date in the first line" > "/dev/stderr"
		exit 1
	}
	printf "#define REGISTRY_DATE \"%s\"\n", substr($0, RSTART, RLENGTH)
	print "static const struct registry_entry entries[] = {"
}

/^[0-9]/ {
	if (NF != 5 || $1 + 0 < previous) {
		printf "iana-ports.tsv:%d: not five fields in ascending order\n", NR > "/dev/stderr"
		exit 1
	}
	previous = $1 + 0
	bits = 0
	count = split($3, names, ",")
	for (i = 1; i <= count; i++) {
		if (names[i] == "tcp") bits += 1
		else if (names[i] == "udp") bits += 2
		else if (names[i] == "any") bits += 3
		else if (bits < 4) bits += 4
	}
	printf "{%d, %d, %d, %s, %s},\n", $1, $2, bits, quoted($4), quoted($5)
}

END { print "};" }
