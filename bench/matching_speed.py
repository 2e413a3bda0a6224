"""How long a ranking of people takes, by the number of people, beside simpler ways.

    .venv/bin/python bench/matching_speed.py [--quick] [--sizes 10000,100000,1000000]

Prints one JSON line per figure. The market is made up: words of no language, drawn by a Zipf law,
in 400 fields of work with words, skills and a vector of their own; three past works a person, one
person in ten without any. Vectors are those the encoder gives for a text of the field, moved at
random for every person and work (reading three million texts would take hours); without the
encoder the run is by words. Texts come as terms, already read: `reading_a_person` says what
reading takes, measured on some. Everything else is what a worker does: gather, build, write the
files, open and check them, rank (a project's text read and encoded, 50 people with reasons).

Yardsticks in the same run, on the same people, in turns with the rankings: votes of past works
by BM25 alone, an exact scan of all vectors alone, and PostgreSQL full-text search (ts_rank_cd over
a GIN index, one row a person, an OR of the 40 rarest words). Times are wall times of one process on
one thread; "cpu" beside them is its processor time, which a busy machine does not stretch.
"""

import argparse
import datetime as dt
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.test")

import django  # noqa: E402
import numpy as np  # noqa: E402
import psycopg2  # noqa: E402

from bench.database import empty_database  # noqa: E402
from marketplace.devstack.postgres import OWNER  # noqa: E402

django.setup()

from matching.engine import candidates, files, votes  # noqa: E402
from matching.engine.bm25 import best  # noqa: E402
from matching.engine.documents import HistoryItem, Need, PersonDoc  # noqa: E402
from matching.engine.encoder import DIMENSIONS, Encoder, Vectors, load_encoder  # noqa: E402
from matching.engine.index import need_terms, with_proof  # noqa: E402
from matching.engine.meaning import Bytes, packed  # noqa: E402
from matching.engine.people import Gathered, People, PersonRead, read_person  # noqa: E402
from matching.engine.rank import Matcher  # noqa: E402

TODAY = dt.date(2026, 11, 20)
FIELDS, FIELD_WORDS, VOCABULARY, SKILLS = 400, 300, 120_000, 1_200
TITLE, BODY, OWN = 5, 35, 18
AT_ONCE = 2_000
KEPT = 50


class Market:
    """People and projects out of a seed."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = np.random.default_rng(seed)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en")]
        drawn = self.dice.integers(0, len(syllables), size=(VOCABULARY * 2, 3))
        spelled = dict.fromkeys("".join(syllables[at] for at in row) for row in drawn)
        self.words = np.asarray(list(spelled)[:VOCABULARY], dtype=object)
        ranks = np.arange(1, len(self.words) + 1)
        self.often = np.cumsum(1 / ranks**1.05)
        self.often /= self.often[-1]
        in_field = np.cumsum(1 / np.arange(1, FIELD_WORDS + 1) ** 0.9)
        self.in_field = in_field / in_field[-1]
        # Words of a field are neither the commonest nor the rarest.
        self.fields = self.dice.integers(60, 30_000, size=(FIELDS, FIELD_WORDS))
        self.skills = np.asarray([f"skill {word}" for word in self.words[-SKILLS:]], dtype=object)
        self.skills_of = self.dice.integers(0, SKILLS, size=(FIELDS, 6))

    def texts(self, fields: np.ndarray, length: int) -> np.ndarray:
        """A row of words for each of these fields: six in ten are the field's own."""
        shape = (len(fields), length)
        common = np.searchsorted(self.often, self.dice.random(shape))
        own = np.searchsorted(self.in_field, self.dice.random(shape))
        own = self.fields[fields[:, np.newaxis], own]
        mixed = np.where(self.dice.random(shape) < 0.6, own, common)
        return self.words[np.minimum(mixed, len(self.words) - 1)]

    def people(self, count: int) -> Iterator[list[PersonRead]]:
        """So many people, some thousands at a time, in the order of their ids."""
        ids = sorted(map(str, range(1, count + 1)))
        for start in range(0, count, AT_ONCE):
            yield self._people(ids[start : start + AT_ONCE])

    def _people(self, ids: Sequence[str]) -> list[PersonRead]:
        home = self.dice.integers(0, FIELDS, size=len(ids))
        works = np.repeat(home, 3)
        elsewhere = self.dice.random(len(works)) < 0.2
        works = np.where(elsewhere, self.dice.integers(0, FIELDS, size=len(works)), works)
        titles = self.texts(works, TITLE).tolist()
        bodies = self.texts(works, BODY).tolist()
        own = self.texts(home, OWN).tolist()
        ages = self.dice.integers(1, 1500, size=len(works)).tolist()
        return [
            self._person(name, at, home[at], works, titles, bodies, own[at], ages)
            for at, name in enumerate(ids)
        ]

    def _person(self, name, at, home, fields, titles, bodies, own, ages) -> PersonRead:  # noqa: ANN001
        mine = range(0) if at % 10 == 0 else range(3 * at, 3 * at + 3)
        items, named, said = [], [], []
        for work in sorted(mine, key=lambda work: ages[work]):
            skills = tuple(self.skills[self.skills_of[fields[work]][:2]])
            items.append(
                HistoryItem(
                    f"f{fields[work]} {' '.join(titles[work])}",
                    skills=skills,
                    date=TODAY.fromordinal(TODAY.toordinal() - ages[work]),
                    client=f"c{work}",
                )
            )
            named.append(titles[work])
            said.append([*titles[work], *titles[work], *bodies[work]])
        claims = tuple((skill, 0) for skill in self.skills[self.skills_of[home][:4]])
        doc = PersonDoc(name, title=f"f{home}", skills=claims, history=tuple(items))
        return PersonRead(with_proof(doc), tuple(items), tuple(named), tuple(said), own)

    def needs(self, count: int) -> list[Need]:
        """So many projects, each of a field."""
        fields = self.dice.integers(0, FIELDS, size=count)
        titles, texts = self.texts(fields, TITLE), self.texts(fields, BODY + 10)
        return [
            Need(
                f"need{at}",
                f"f{field} {' '.join(titles[at])}",
                " ".join(texts[at]),
                tuple(self.skills[self.skills_of[field][[0, 1, 3]]]),
                posted_at=TODAY,
            )
            for at, field in enumerate(fields)
        ]


class Moved:
    """A reader that knows the field of a text by its first word and moves the field's vector."""

    model_id = "fields, moved at random"

    def __init__(self, market: Market, encoder: Encoder) -> None:
        self._dice = np.random.default_rng(2)
        self._encoder = encoder
        texts = market.texts(np.arange(FIELDS), 20)
        self._centres = encoder.encode([" ".join(row) for row in texts])
        # Encoded nonsense lies close together; real kinds of work are further apart.
        self._centres = self._centres - 0.9 * self._centres.mean(axis=0)
        self._centres /= np.linalg.norm(self._centres, axis=1, keepdims=True)

    def packed(self, texts: Sequence[str]) -> Bytes:
        return packed(self._of(texts, self._dice))

    def passing(self, texts: Sequence[str]) -> Vectors:
        """The encoder reads the text, as in life; what it says is not used."""
        self._encoder.encode(list(texts))
        return self._of(texts, np.random.default_rng(len(texts[0]) + ord(texts[0][-1])))

    def _of(self, texts: Sequence[str], dice: np.random.Generator) -> Vectors:
        fields = [int(text.split(None, 1)[0][1:].strip(".")) for text in texts]
        noise = dice.normal(size=(len(texts), DIMENSIONS)).astype(np.float32)
        found = self._centres[fields] + noise * np.float32(0.9 / DIMENSIONS**0.5)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


# --- Clocks ---------------------------------------------------------------------------------


@dataclass
class Times:
    """Wall and processor times of the same calls."""

    wall: list[float]
    cpu: list[float]

    def tell(self, figure: str, n: int, yardstick: "Times | None" = None) -> None:
        """Print p50 and p95 in milliseconds, beside those of a yardstick."""
        for percent in (50, 95):
            value = float(np.percentile(self.wall, percent)) * 1000
            other = float(np.percentile(yardstick.wall, percent)) * 1000 if yardstick else None
            cpu = float(np.percentile(self.cpu, percent)) * 1000
            say(f"{figure}_p{percent}", value, "ms", n, yardstick=other, cpu=round(cpu, 1))


def in_turns(
    ways: Mapping[str, Callable[[Need], object]], needs: Sequence[Need]
) -> dict[str, Times]:
    """Every way for every project, one after the other."""
    times = {name: Times([], []) for name in ways}
    for need in needs:
        for name, call in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call(need)
            times[name].wall.append(time.perf_counter() - wall)
            times[name].cpu.append(time.process_time() - cpu)
    return times


def say(
    figure: str, value: float, unit: str, n: int, *, yardstick: float | None = None, **more: object
) -> None:
    line = {"figure": figure, "value": round(value, 3), "unit": unit}
    line["yardstick"] = None if yardstick is None else round(yardstick, 3)
    line["ratio"] = round(value / yardstick, 3) if yardstick else None
    print(json.dumps({**line, "n": n, **more}), flush=True)


def memory_mb() -> float:
    """What this process alone has in memory: pages of files are shared and not counted."""
    with Path("/proc/self/status").open() as status:
        found = dict(line.split(":", 1) for line in status)
    return int(found["RssAnon"].split()[0]) / 1024


# --- One size -------------------------------------------------------------------------------


def measure(size: int, *, asked: int, encoder: Encoder | None, folder: Path, link) -> None:  # noqa: ANN001
    """Print every figure of a market of so many people."""
    market = Market()
    read = Moved(market, encoder) if encoder else None
    build(market, size, read, folder, link)
    started = time.perf_counter()
    arrays, _facts = files.open_current(folder, form="bench")
    people = People.opened(arrays, read)
    say("open_and_check", time.perf_counter() - started, "s", size)
    before = memory_mb()
    matcher = Matcher((), (), at=TODAY, indexed=people)
    needs = market.needs(asked + 3)
    for need in needs[:3]:
        matcher.people_for(need, KEPT)
    needs = needs[3:]
    ways: dict[str, Callable[[Need], object]] = {
        "ranking": lambda need: matcher.people_for(need, KEPT),
        "bm25_alone": lambda need: bm25_alone(people, need),
    }
    meant = {need.id: people.meaning.of_need(need) for need in needs} if people.meaning else {}
    if meant:
        ways["exact_scan_alone"] = lambda need: scan_alone(people, meant[need.id])
    times = in_turns(ways, needs)
    ours = times.pop("ranking")
    say("memory_of_a_worker_beyond_the_files", memory_mb() - before, "MB", size)
    for name, others in times.items():
        ours.tell(f"ranking_beside_{name}", size, others)
    if meant:
        share = nearest_found(people, [meant[need.id] for need in needs[:20]])
        say("share_of_the_100_nearest_works_found", share, "share", size)
    if link:
        # Where it takes seconds, fewer projects are enough to see it.
        few = needs[: max(5, min(len(needs), 1_000_000 // size))]
        ways = {"ranking": ways["ranking"], "search": lambda need: full_text(link, people, need)}
        both = in_turns(ways, few)
        both["ranking"].tell("ranking_beside_postgresql_full_text", size, both["search"])
    say("first_ten_as_with_everybody", alike(matcher, needs[:10]), "share", size)
    changes(people, market, read, size)


def build(market: Market, size: int, read: Moved | None, folder: Path, link) -> None:  # noqa: ANN001
    """Gather, build and write; the same texts go into PostgreSQL, outside of the clock."""
    gathered, took, cpu = Gathered(cards=True), 0.0, 0.0
    sink = FullText(link) if link else None
    for some in market.people(size):
        started, used = time.perf_counter(), time.process_time()
        gathered.add(some, read)
        took, cpu = took + time.perf_counter() - started, cpu + time.process_time() - used
        if sink:
            sink.add(some)
    started, used = time.perf_counter(), time.process_time()
    people = People.of(gathered, read)
    files.write(folder, people.arrays(), {"form": "bench"})
    took, cpu = took + time.perf_counter() - started, cpu + time.process_time() - used
    say("build", took, "s", size, cpu=round(cpu, 1))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("build_memory_at_most", most, "MB", size)
    total = sum(file.stat().st_size for file in folder.rglob("*.npy"))
    say("files", total / 1e6, "MB", size)
    if sink:
        sink.finish(size)


def bm25_alone(people: People, need: Need) -> np.ndarray:
    """Votes of the hundred nearest works by their words, and nothing else."""
    scores = people.texts.scores(people.texts.query(need_terms(need)))
    items = best(scores, votes.HITS)
    owners = np.bincount(people.owners[items], weights=scores[items], minlength=len(people.ids))
    return best(owners, KEPT)


def scan_alone(people: People, meant: Vectors) -> np.ndarray:
    """The hundred nearest of all vectors, and nothing else."""
    return best(people.meaning.works.exactly(meant), votes.HITS)


def nearest_found(people: People, meant: Sequence[Vectors | None]) -> float:
    """How many of the hundred nearest works the look at main directions keeps."""
    shares = []
    for vector in meant:
        exact = set(best(people.meaning.works.exactly(vector), votes.HITS).tolist())
        found = set(best(people.meaning.works.near(vector), votes.HITS).tolist())
        shares.append(len(exact & found) / max(len(exact), 1))
    return float(np.mean(shares))


def alike(matcher: Matcher, needs: Sequence[Need]) -> float:
    """How much of the first ten is the same when everybody is weighed."""
    shares = []
    for need in needs:
        few = [found.id for found in matcher.people_for(need, 10)]
        before, candidates.EVERYBODY = candidates.EVERYBODY, 10**9
        whole = [found.id for found in matcher.people_for(need, 10)]
        candidates.EVERYBODY = before
        shares.append(np.mean([a == b for a, b in zip(few, whole, strict=True)]))
    return float(np.mean(shares))


def changes(people: People, market: Market, read: Moved | None, size: int) -> None:
    """How long until a change is in the lists: one profile, and a thousand of them."""
    for count in (1, 1000):
        (new,) = market.people(count)
        news = [_renamed(person, f"x{at:04}") for at, person in enumerate(new)]
        need = market.needs(1)[0]
        started = time.perf_counter()
        changed = people.changed(news, [], read)
        Matcher((), (), at=TODAY, indexed=changed).people_for(need, KEPT)
        say(f"found_after_{count}_changed", time.perf_counter() - started, "s", size)


def _renamed(person: PersonRead, name: str) -> PersonRead:
    return replace(person, doc=replace(person.doc, id=name))


class FullText:
    """The same texts as rows of a table with a GIN index."""

    def __init__(self, link) -> None:  # noqa: ANN001
        self._link = link
        with link.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS person_text")
            cursor.execute("CREATE TABLE person_text (id text, said tsvector)")

    def add(self, people: Sequence[PersonRead]) -> None:
        rows = [(p.doc.id, " ".join([*p.own, *(w for t in p.texts for w in t)])) for p in people]
        with self._link.cursor() as cursor:
            cursor.execute(
                "INSERT INTO person_text SELECT * FROM (SELECT unnest(%s), "
                "to_tsvector('simple', unnest(%s))) AS rows",
                ([row[0] for row in rows], [row[1] for row in rows]),
            )

    def finish(self, size: int) -> None:
        started = time.perf_counter()
        with self._link.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute("CREATE INDEX ON person_text USING gin (said)")
            cursor.execute("VACUUM ANALYZE person_text")
        say("postgresql_index", time.perf_counter() - started, "s", size)


def full_text(link, people: People, need: Need) -> list[tuple[str]]:  # noqa: ANN001
    """What PostgreSQL finds for the same words."""
    columns = people.texts.query(need_terms(need))
    asked = " | ".join(people.texts.term(int(column)) for column in columns)
    with link.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM person_text, to_tsquery('simple', %s) AS asked WHERE said @@ asked "
            "ORDER BY ts_rank_cd(said, asked) DESC LIMIT 50",
            (asked,),
        )
        found: list[tuple[str]] = cursor.fetchall()
    return found


def reading(market: Market) -> None:
    """What reading a person's texts takes: redaction above all."""
    docs = [
        PersonDoc("p", " ".join(person.own[:6]), " ".join(person.own), person.doc.skills,
            tuple(HistoryItem(" ".join(t), " ".join(x[2 * TITLE:]), skills=("one", "two"))
                for t, x in zip(person.titles, person.texts, strict=True)))
        for person in next(market.people(500))
    ]  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    for doc in docs:
        read_person(doc)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    say(
        "reading_a_person",
        wall / len(docs) * 1000,
        "ms",
        len(docs),
        cpu=round(cpu / len(docs) * 1000, 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 people, few projects")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of people")
    parser.add_argument("--asked", type=int, default=100, help="projects to rank people for")
    parser.add_argument("--no-postgresql", action="store_true", help="leave full-text search out")
    parser.add_argument("--words", action="store_true", help="by words, even with an encoder")
    options = parser.parse_args()
    sizes = [2_500] if options.quick else [int(size) for size in options.sizes.split(",")]
    asked = 20 if options.quick else options.asked
    encoder = None if options.words else load_encoder()
    reading(Market())
    with tempfile.TemporaryDirectory(prefix="bidwell-bench-") as name:
        folder = Path(name)
        if options.no_postgresql:
            run(sizes, asked, encoder, folder, None)
            return
        with empty_database(folder / "pg") as postgres:
            link = psycopg2.connect(postgres.url(OWNER))
            link.autocommit = True
            run(sizes, asked, encoder, folder, link)
            link.close()


def run(sizes, asked, encoder, folder, link) -> None:  # noqa: ANN001
    for size in sizes:
        measure(size, asked=asked, encoder=encoder, folder=folder / f"files{size}", link=link)


if __name__ == "__main__":
    main()
