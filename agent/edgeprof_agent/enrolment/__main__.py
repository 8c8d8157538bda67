"""The short-lived process that has to do with keys. It speaks JSON: a line comes in, a line goes out.

python -m edgeprof_agent.enrolment request STATE_FOLDER       a new key and a request for a certificate
python -m edgeprof_agent.enrolment accept STATE_FOLDER        takes that and the answer into use
python -m edgeprof_agent.enrolment renew-late STATE_FOLDER    asks for what has ended, and takes it into use
"""

import sys
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof_agent.enrolment.messages import Accepting, Done


def main() -> int:
    """Do one thing and say how it went; the status is 1 if it went wrong."""
    task, state_folder = sys.argv[1], Path(sys.argv[2])
    try:
        done = _do(task, state_folder)
    except EdgeprofError as error:
        done = Done(error=str(error))
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
    return 1 if done.error else 0


def _do(task: str, state_folder: Path) -> Done:
    from edgeprof_agent.enrolment import joining, keys  # noqa: PLC0415  cryptography may be missing, which is told

    if task == "request":
        return Done(made=keys.request_for_new_key(joining.enrolled(state_folder).device_id))
    if task == "accept":
        accepting = msgspec.json.decode(sys.stdin.buffer.read(), type=Accepting)
        joining.accept(accepting.made, accepting.answer, state_folder)
        return Done()
    joining.renew_late(state_folder)
    return Done()


if __name__ == "__main__":
    sys.exit(main())
