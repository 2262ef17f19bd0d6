package config

import (
	"strconv"
	"strings"
)

// byteUnits are Kubernetes' binary units, each 1024 times the one before.
var byteUnits = []string{"", "Ki", "Mi", "Gi"}

// parseBytes reads a count without sign, fraction and exponent, at most 2^50; if
// units is true, one of the binary units may follow.
func parseBytes(s string, units bool) (n int64, ok bool) {
	const most = 1 << 50
	shift := 0
	for i, unit := range byteUnits {
		if digits, has := strings.CutSuffix(s, unit); has && units && i > 0 {
			s, shift = digits, 10*i
		}
	}
	count, err := strconv.ParseUint(s, 10, 64)
	if err != nil || count > most>>shift {
		return 0, false
	}
	return int64(count) << shift, true
}

// inBytes writes a bound as one would by hand.
func inBytes(n int64, kind Kind) string {
	unit := 0
	for kind == Bytes && n > 0 && n%1024 == 0 && unit < len(byteUnits)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + byteUnits[unit]
}
