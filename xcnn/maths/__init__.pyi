from .cam import channel_means as channel_means
from .cam import positive as positive
from .cam import weighted_sum as weighted_sum
from .fills import FILLS as FILLS
from .fills import blurred as blurred
from .fills import check_fill as check_fill
from .fills import filled as filled
from .windows import Windows as Windows
