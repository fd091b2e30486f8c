"""Sixteen domains, of which each schema takes some tables and some of their columns."""

from rlsf_lightning.prompts.sources.text_to_sql.domains.culture import CULTURE
from rlsf_lightning.prompts.sources.text_to_sql.domains.trade import TRADE

DOMAINS = (*TRADE, *CULTURE)
