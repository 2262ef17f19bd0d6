package config

// parseBytes reads a count without sign, fraction and exponent; if units is true,
// one of Kubernetes' binary units may follow.
func parseBytes(s string, units bool) (n int64, ok bool) {
	i := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		if n = 10*n + int64(s[i]-'0'); n > 1<<50 {
			return 0, false
		}
	}
	if i == 0 || !units && i < len(s) {
		return 0, false
	}
	switch s[i:] {
	case "":
		return n, true
	case "Ki":
		return n << 10, n < 1<<40
	case "Mi":
		return n << 20, n < 1<<40
	case "Gi":
		return n << 30, n < 1<<30
	}
	return 0, false
}

// inBytes writes a bound as one would by hand.
func inBytes(n int64, kind Kind) string {
	unit := 0
	for kind == Bytes && n > 0 && n%1024 == 0 && unit < 3 {
		n, unit = n/1024, unit+1
	}
	return itoa(int(n)) + [...]string{"", "Ki", "Mi", "Gi"}[unit]
}
