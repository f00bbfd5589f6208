"""Skins for rendered heads, blended from photographs of several neutral adults."""
