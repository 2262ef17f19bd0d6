// Bench measures edgejwt in a real Envoy; see package bench.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"edgejwt/e2e/bench"
	"edgejwt/e2e/parts"
)

func main() {
	bench.Child()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	quick := flag.Bool("quick", false, "the short form: fewer rows, fewer rounds, nothing written")
	costs := flag.Bool("costs", false, "only the requests that are made to be dear, beside a bad signature; nothing written")
	write := flag.String("write", "", "write BENCH.md and bench.svg into this `folder`")
	module := flag.String("module", "", "another module than dist/edgejwt.wasm")
	before := flag.String("before", "", "another build of the module, measured beside it")
	only := flag.String("only", "", "comma-separated IDs of rows; others are left out")
	without := flag.String("without", "", "comma-separated listeners to leave out")
	rounds := flag.Int("rounds", 0, "rounds in each Envoy")
	envoys := flag.Int("envoys", 0, "how many fresh Envoys")
	during := flag.Duration("during", 0, "time of one row in one round")
	flag.Parse()
	o := bench.Full
	if *quick {
		o = bench.Short
	}
	if *costs {
		o = bench.Costs
	}
	o.Module, o.Before = *module, *before
	o.Rounds = cmp.Or(*rounds, o.Rounds)
	o.Envoys = cmp.Or(*envoys, o.Envoys)
	o.During = cmp.Or(*during, o.During)
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if *without != "" {
		o.Without = strings.Split(*without, ",")
	}
	var err error
	if o.Root, err = parts.Root(); err != nil {
		return err
	}
	if err := bench.Check(o.Root); err != nil {
		return err
	}
	begin := time.Now()
	o.Say = func(format string, a ...any) {
		fmt.Fprintf(os.Stderr, "%4.0f s  "+format+"\n", append([]any{time.Since(begin).Seconds()}, a...)...)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	fmt.Print(m.Markdown())
	if *write != "" {
		return m.Write(*write)
	}
	return nil
}
