from .cam import channel_means as channel_means
from .cam import positive as positive
from .cam import weighted_sum as weighted_sum
from .gradients import reduced as reduced
