"""What is right: the classes as the module's comments promise them, written a second time, simply."""

from collections import defaultdict


class Emitter:
    """What the comments of EventEmitter promise, with names for functions."""

    def __init__(self, reactions=None):
        self.listeners = defaultdict(list)
        self.reactions = dict(reactions or {})
        self.log = []

    def step(self, how, event, *args):
        listeners = self.listeners[event]
        if how in ("on", "once"):
            listeners.append((args[0], how))
        elif how == "off":
            self.listeners[event] = [one for one in listeners if one[0] != args[0]]
        elif how == "count":
            self.log.append(["listeners", event, len(listeners)])
        else:
            present = tuple(listeners)
            for name, way in present:
                if way == "once":
                    self.listeners[event].remove((name, way))
                self.log.append(["called", name, list(args)])
                for reaction in self.reactions.pop(name, []):
                    self.step(*reaction)
            self.log.append(["emitted", event, bool(present)])


class FirstComeFirstServed:
    """What the comments of PriorityQueue promise, for items of one priority."""

    def __init__(self):
        self.items = []
        self.log = []

    def step(self, what, *args):
        if what == "enqueue":
            item, *priority = args
            self.items.insert(0 if priority == [-1] else len(self.items), item)
        elif what == "clear":
            self.items.clear()
        else:
            first = self.items[0] if self.items else None
            value = {"size": len(self.items), "isEmpty": not self.items, "toArray": sorted(self.items)}.get(what, first)
            self.log.append([what, value])
            if what == "dequeue":
                del self.items[:1]


class Window:
    """What the comments of RateLimiter promise: fewer than ``limit`` slots were taken within the last interval."""

    def __init__(self, limit, interval):
        self.limit, self.interval = limit, interval
        self.now, self.taken = 0, []
        self.log = []

    def step(self, what, *value):
        if what == "advance":
            self.now += value[0]
            return
        free = self.limit - sum(self.now - time < self.interval for time in self.taken)
        self.log.append([self.now, "tried", free > 0] if what == "tryAcquire" else [self.now, "available", free])
        if what == "tryAcquire" and free > 0:
            self.taken.append(self.now)
