// Package rate stands in for golang.org/x/time/rate, which the sandbox does not have: when a program cannot be built for
// want of it, the rest of the program is still looked at.
package rate

import (
	"context"
	"math"
	"sync"
	"time"
)

type Limit float64

const Inf = Limit(math.MaxFloat64)

func Every(interval time.Duration) Limit {
	return 1 / Limit(interval.Seconds())
}

type Limiter struct {
	mu     sync.Mutex
	limit  Limit
	burst  int
	tokens float64
	last   time.Time
}

func NewLimiter(limit Limit, burst int) *Limiter {
	return &Limiter{limit: limit, burst: burst, tokens: float64(burst), last: time.Now()}
}

func (l *Limiter) Limit() Limit { return l.limit }

func (l *Limiter) Burst() int { return l.burst }

func (l *Limiter) Allow() bool { return l.AllowN(time.Now(), 1) }

func (l *Limiter) AllowN(now time.Time, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = min(float64(l.burst), l.tokens+now.Sub(l.last).Seconds()*float64(l.limit))
	l.last = now
	if l.tokens < float64(n) {
		return false
	}
	l.tokens -= float64(n)
	return true
}

func (l *Limiter) Tokens() float64 {
	l.AllowN(time.Now(), 0)
	return l.tokens
}

func (l *Limiter) Wait(ctx context.Context) error {
	for !l.Allow() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
