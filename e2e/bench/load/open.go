package load

import (
	"sync"
	"time"
)

// flight is a request that waits for its answer.
type flight struct {
	due    time.Time
	status int
}

// Open sends rate requests per second for a time, evenly spaced, over at most
// that many connections, one request at a time on each. When all are
// busy, requests are sent late and their latency says so. One goroutine sends
// all requests; the answers are read by one for each connection.
func Open(address string, connections int, rate float64, during time.Duration, source Source) (*Result, error) {
	free := make(chan *lane, connections)
	lanes := make([]*lane, connections)
	for i := range lanes {
		c, err := dial(address)
		if err != nil {
			return nil, err
		}
		defer func() { c.net.Close() }()
		l := &lane{conn: c, sent: make(chan flight, 1)}
		l.latency = newHistogram()
		c.net.SetDeadline(time.Now().Add(during + patience))
		lanes[i] = l
		free <- l
	}
	var all sync.WaitGroup
	for _, l := range lanes {
		all.Go(func() { l.readAll(free) })
	}

	result := &Result{Latency: newHistogram(), Lag: newHistogram()}
	gap := time.Duration(float64(time.Second) / rate)
	begin := time.Now()
	lost := 0
	var fault error
	for due := begin; due.Sub(begin) < during; due = due.Add(gap) {
		until(due)
		r, more := source()
		if !more {
			break
		}
		l := <-free
		if l == nil { // the connection broke
			if lost++; lost == connections {
				break
			}
			continue
		}
		result.Lag.RecordValue(int64(time.Since(due)))
		l.sent <- flight{due, r.Status}
		if _, err := l.conn.net.Write(r.Bytes); err != nil {
			fault = err // the reader sees the broken connection too, and counts it
		}
	}
	for _, l := range lanes {
		close(l.sent)
	}
	all.Wait()
	result.Elapsed = time.Since(begin)
	for _, l := range lanes {
		result.add(&l.tally)
	}
	if result.Fault == nil {
		result.Fault = fault
	}
	return result, nil
}

// lane is a connection of the open loop with its reader.
type lane struct {
	tally
	conn *conn
	sent chan flight
}

func (l *lane) readAll(free chan<- *lane) {
	for f := range l.sent {
		if err := l.conn.read(f.status); err != nil {
			l.wrongly(err)
			free <- nil
			for range l.sent {
			}
			return
		}
		l.requests++
		l.latency.RecordValue(int64(time.Since(f.due)))
		free <- l
	}
}
